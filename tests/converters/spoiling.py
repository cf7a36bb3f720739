"""Networks with one bad layer, or with coarse weights."""

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


def coarse(network: keras.Model) -> keras.Model:
    """A copy of a chain of layers, its weights cut to bfloat16, which has 8 significant bits where float16 has 11."""
    copy = fold_batch_norms(network)
    copy.set_weights([(kept.view(np.uint32) & 0xFFFF0000).view(np.float32) for kept in copy.get_weights()])
    return copy
