"""Batch normalizations folded into the layers after them: fewer operations, and fewer roundings in int8.

The networks normalize after the activation, so nothing folds into the layer before. Each channel's scale and shift go
into the next convolution or dense layer; that is exact for unpadded convolutions, and through max pooling where no
scale is negative. Channels that VGG-19 wants in another order stay as they are: its first kernels are turned, too.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from train.models import flattened
from train.normalized import affine_of

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Affine:
    """What is still to be done to a tensor, channel by channel: ``value * scale + shift``, both float32 (C,)."""

    scale: Float32
    shift: Float32


def fold_batch_norms(network: keras.Model) -> keras.Model:
    """A new network: the same outputs, without dropout, flips and those batch normalizations that can be folded.

    ``network`` is one chain of layers, of which ``logits`` and ``features`` are outputs.
    """
    pixels = tensor = keras.Input(network.input_shape[1:], name="pixels")
    outputs: dict[str, keras.KerasTensor] = {}
    waiting: Affine | None = None
    is_flipped = False
    chain = [layer for layer in flattened(network) if not isinstance(layer, layers.Dropout)]
    for index, layer in enumerate(chain):
        if not isinstance(layer, layers.Layer):  # keras.ops.flip of the channels, the only operation there is
            is_flipped = not is_flipped
            continue
        if isinstance(layer, layers.BatchNormalization):
            affine = Affine(*affine_of(layer))
            if passes(affine, chain[index + 1 :]):
                waiting = affine
                continue
        if waiting is not None and isinstance(layer, layers.Flatten):
            places = int(np.prod(tensor.shape[1:-1]))
            waiting = Affine(np.tile(waiting.scale, places), np.tile(waiting.shift, places))
        config, weights = layer.get_config(), layer.get_weights()
        if is_flipped and isinstance(layer, layers.Rescaling):
            config["offset"] = config["offset"][::-1]
        if is_flipped and weights:
            weights, is_flipped = [weights[0][:, :, ::-1], weights[1]], False
        copy = layer.__class__.from_config(config)
        tensor = copy(tensor)
        if waiting is not None and weights:
            weights, waiting = folded(weights, waiting), None
        copy.set_weights(weights)
        if layer.name in network.output:
            outputs[layer.name] = tensor
    return keras.Model(pixels, outputs, name=network.name)  # a name drawn by Keras would be in the file


def passes(affine: Affine, following: list[Any]) -> bool:
    """Whether it may wait for the next layer with weights: what comes before that has to commute with it."""
    for layer in following:
        if isinstance(layer, layers.MaxPooling2D) and (affine.scale < 0).any():
            return False
        if isinstance(layer, layers.Conv2D):
            return bool(layer.padding == "valid")
        if not isinstance(layer, layers.Layer):
            return False
        if layer.weights:
            return isinstance(layer, layers.Dense)
    return False


def folded(weights: list[Float32], affine: Affine) -> list[Float32]:
    """Kernel (..., C, filters) and bias (filters,) that do to x what the old ones do to ``x * scale + shift``."""
    kernel, bias = weights
    shift = (kernel * affine.shift[:, np.newaxis]).reshape(-1, kernel.shape[-1]).sum(axis=0)
    return [kernel * affine.scale[:, np.newaxis], bias + shift]
