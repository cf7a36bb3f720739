"""Batch normalization for the network as it is used: without dropout."""

from collections.abc import Callable

import keras
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

BATCH = 500


def settle(network: keras.Model, views: Callable[[], Float32]) -> None:
    """Gives each batch normalization the mean and variance of what reaches it when nothing is dropped.

    ``views`` makes float32 (N, *input shape), pictures as the network meets them; it is not called for a network
    without normalizations. In training dropout scatters the values before a normalization, so that its moving averages
    are of something else than it meets afterwards (arXiv 1801.05134); exact statistics also lack the averages' delay
    (arXiv 2105.07576 section 3). The layers are done in their order, each on what the settled ones before it give.
    """
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    pixels = views() if norms else np.empty(0, np.float32)
    for norm in norms:
        mean, variance = statistics(keras.Model(network.input, norm.input), pixels)
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)


def statistics(part: keras.Model, pixels: Float32) -> tuple[Float64, Float64]:
    """Mean and variance (C,) over pictures and places of what ``part`` gives, (N, ..., C), outside training."""
    count, total, squares = 0, np.float64(0), np.float64(0)
    for start in range(0, len(pixels), BATCH):
        given = keras.ops.convert_to_numpy(part(pixels[start : start + BATCH], training=False))
        values = np.asarray(given, np.float64).reshape(-1, given.shape[-1])
        count += len(values)
        total = total + values.sum(axis=0)
        squares = squares + (values**2).sum(axis=0)
    mean = np.asarray(total / count)
    return mean, np.asarray(squares / count - mean**2)
