"""Channels of like size: cross-layer equalization, so that one scale a tensor serves all of its channels."""

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

PASSING = (layers.MaxPooling2D, layers.GlobalAveragePooling2D, layers.Flatten)
SMALLEST = 1e-3  # of the largest: what never comes to life is not blown up without end


def equalize(network: keras.Model, pixels: UInt8) -> None:
    """Changes the weights of a chain so that it says the same with hidden channels of like size.

    A channel that reaches a (of model-ready ``pixels``, uint8 (N, H, W, C)) and is read by weights of up to r is scaled
    by sqrt(r / a), those weights by the inverse: a ReLU lets a positive scale through. This is section 4.1 of Nagel et
    al. 2019, arXiv 1906.04721, with activations in place of the first layer's weights, which have a scale a channel.
    """
    pairs = list(joined(network))
    reached = greatest(network, [first for first, _ in pairs], pixels)
    for (first, second), most in zip(pairs, reached, strict=True):
        kernel, bias = second.get_weights()
        rows = kernel.reshape(-1, len(most), kernel.shape[-1])  # channels are the innermost of what a layer reads
        peaks = np.abs(rows).max(axis=(0, 1))
        read = np.abs(rows / np.where(peaks > 0, peaks, 1)).max(axis=(0, 2))  # a filter may be all zero
        scale = np.sqrt(floored(read) / floored(most))
        scale /= np.exp(np.log(scale).mean())
        second.set_weights([(rows / scale[:, np.newaxis]).reshape(kernel.shape), bias])
        first.set_weights([weights * scale for weights in first.get_weights()])


def joined(network: keras.Model) -> list[tuple[layers.Layer, layers.Layer]]:
    """Pairs of layers with weights, of which the second alone reads what the first gives through its ReLU."""
    pairs, first = [], None
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D | layers.Dense):
            if first is not None:
                pairs.append((first, layer))
            first = layer if layer.activation is keras.activations.relu and layer.name not in network.output else None
        elif not isinstance(layer, PASSING):
            first = None
    return pairs


def greatest(network: keras.Model, wanted: list[layers.Layer], pixels: UInt8) -> list[Float32]:
    """The greatest output of each channel of each layer, float32 (C,), over all pixels."""
    watched = keras.Model(network.input, {layer.name: layer.output for layer in wanted})
    most = [np.zeros(layer.output.shape[-1], np.float32) for layer in wanted]
    for start in range(0, len(pixels), 100):
        outputs = watched(pixels[start : start + 100].astype(np.float32), training=False)
        found = [np.asarray(outputs[layer.name]) for layer in wanted]
        most = [np.maximum(m, f.reshape(-1, len(m)).max(axis=0)) for m, f in zip(most, found, strict=True)]
    return most


def floored(sizes: Float32) -> Float32:
    """Sizes >= 0, none below SMALLEST of the largest; all 1 if all are 0."""
    return np.asarray(np.maximum(sizes, SMALLEST * sizes.max() or 1), dtype=np.float32)
