"""Weights rounded so that layers say what they said: what rounding one weight changes, those after it make up for."""

from collections.abc import Iterator

import keras
import numpy as np
import numpy.typing as npt
from keras import layers
from numpy.lib.stride_tricks import sliding_window_view

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

STEPS = 127  # to either side of 0, as many as the quantizer has for a channel's largest weight
PLACES = 32  # of a picture, at which a convolution's inputs are looked at
MEMORY = 1e9  # bytes that a layer's outputs for all pictures may take; its inputs come on top
DAMPING = 0.01  # of the mean square of an input, added to each: an input that is hardly ever there decides nothing
BATCH = 100
BLOCK = 128  # weights whose errors are taken off all later ones at once, which is faster


def compensated(network: keras.Model, pixels: UInt8) -> keras.Model:
    """A copy of a chain of layers whose kernels are whole steps of 8 bits, one step for each channel that comes out.

    Each weight is rounded in turn, and the error that this makes on ``pixels``, model-ready, uint8 (N, H, W, C), is
    taken off the channel's weights that are still to come: GPTQ, arXiv 2210.17323 section 3, with the inputs of most
    weight first. What is left of an output's mean goes into the bias (arXiv 1906.04721 section 4.2). A layer is given
    what the rounded ones before it give.
    """
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    largest = max(int(np.prod(layer.output.shape[1:])) for layer in copy.layers)
    given = pixels[:: int(np.ceil(4 * largest * len(pixels) / MEMORY))].astype(np.float32)
    for layer in copy.layers[1:]:
        if isinstance(layer, layers.Conv2D | layers.Dense):
            kernel, bias = layer.get_weights()
            weights = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
            squares, mean = moments(layer, given)
            whole = round_in_turn(weights, squares)
            layer.set_weights([whole.reshape(kernel.shape), bias + mean @ (weights - whole)])
        outputs = np.empty((len(given), *layer.output.shape[1:]), np.float32)
        for batch, found in zip(batches(given), batches(outputs), strict=True):
            found[:] = np.asarray(layer(batch))
        given = outputs
    return copy


def batches(values: Float32) -> Iterator[Float32]:
    """BATCH rows at a time, to be read or to be filled."""
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]


def moments(layer: layers.Layer, given: Float32) -> tuple[Float64, Float64]:
    """Mean products of a layer's inputs, float64 (n, n), and their means (n,), for n weights a channel, over what it
    is given: (N, n) for a Dense, pictures (N, H, W, C) for a Conv2D, of which PLACES are looked at."""
    random, size = np.random.default_rng(0), int(np.prod(layer.kernel.shape[:-1]))
    products, sums = np.zeros((size, size)), np.zeros(size)
    count = 0
    for batch in batches(given):
        rows = batch if batch.ndim == 2 else windows(layer, batch, random)
        count += len(rows)
        products += rows.T @ rows
        sums += rows.sum(axis=0)
    return products / count, sums / count


def windows(layer: layers.Conv2D, pictures: Float32, random: np.random.Generator) -> Float32:
    """What the kernel of a Conv2D of stride 1 meets at PLACES random places of each picture: (N * PLACES, n)."""
    height, width = layer.kernel_size
    if layer.padding == "same":
        edges = [((size - 1) // 2, size // 2) for size in (height, width)]
        pictures = np.pad(pictures, ((0, 0), *edges, (0, 0)))
    met = sliding_window_view(pictures, (height, width), axis=(1, 2))  # (N, rows, columns, C, height, width)
    which = np.repeat(np.arange(len(met)), PLACES)
    chosen: Float32 = met[which, *random.integers(met.shape[1:3], size=(len(which), 2)).T]
    return np.moveaxis(chosen, 1, -1).reshape(len(which), -1)


def round_in_turn(weights: Float64, squares: Float64) -> Float64:
    """Weights (n, channels), each a whole number of its channel's steps, which are the largest weight / STEPS.

    ``squares`` (n, n) are the mean products of the inputs. The largest weights stay as they are, so that a quantizer
    finds the same steps.
    """
    largest = np.abs(weights).max(axis=0)
    step = np.where(largest > 0, largest, 1) / STEPS
    squares = squares + (DAMPING * squares.diagonal().mean() or 1) * np.eye(len(squares))
    order = np.argsort(-squares.diagonal(), kind="stable")
    inverse = np.linalg.inv(squares[np.ix_(order, order)])
    factor = np.linalg.cholesky(inverse).T  # row i: what rounding weight i means for those from i on
    pending, whole = weights[order], np.empty_like(weights)
    fixed = np.abs(pending) == largest
    for start in range(0, len(pending), BLOCK):
        block = range(start, min(start + BLOCK, len(pending)))
        errors = np.empty((len(block), len(step)))
        for index in block:
            rounded = np.clip(np.rint(pending[index] / step), -STEPS, STEPS) * step
            rounded = np.where(fixed[index], weights[order[index]], rounded)
            errors[index - start] = (pending[index] - rounded) / factor[index, index]
            rest = slice(index + 1, block.stop)
            pending[rest] -= np.outer(factor[index, rest], errors[index - start])
            whole[order[index]] = rounded
        pending[block.stop :] -= factor[start : block.stop, block.stop :].T @ errors
    return whole
