"""A network with one bad layer."""

import keras
import numpy as np

from converters.fold import fold_batch_norms


def spoiled(network: keras.Model, name: str) -> keras.Model:
    """A copy of a chain of layers, in which the filters of one layer have changed places."""
    copy = fold_batch_norms(network)
    layer = copy.get_layer(name)
    kernel, bias = layer.get_weights()
    layer.set_weights([np.roll(kernel, 1, axis=-1), bias])
    return copy
