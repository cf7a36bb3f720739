"""Batch normalization for the network as it is used: without dropout."""

import keras
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


def settle(network: keras.Model, pixels: Float32) -> None:
    """Gives each batch normalization the mean and variance of what reaches it when nothing is dropped.

    ``pixels``: float32 (N, *input shape), as the network meets them in use. In training dropout scatters the values
    before a normalization, so that its moving averages are of something else than it meets afterwards (arXiv
    1801.05134); exact statistics also lack the averages' delay (arXiv 2105.07576 section 3). The layers are done in
    their order, each on what the settled ones before it give.
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            values = keras.Model(network.input, layer.input).predict(pixels, batch_size=1000, verbose=0)
            places = tuple(range(values.ndim - 1))
            layer.moving_mean.assign(values.mean(axis=places, dtype=np.float64))
            layer.moving_variance.assign(values.var(axis=places, dtype=np.float64))
