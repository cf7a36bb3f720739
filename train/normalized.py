"""Training with batch normalizations that the finished network does not have: they end up in its weights."""

from collections.abc import Callable

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from train.batch_norm import BatchNormalization
from train.devices import computing_in
from train.models import build, flattened
from train.recipes import Config
from train.settle import statistics

Float32 = npt.NDArray[np.float32]


def network_to_train(config: Config) -> keras.Model:
    """The run's network with fresh weights, normalized where the recipe has it so."""
    network = build(config.model, config.size, config.recipe.mixture is not None)
    return normalized(network) if config.recipe.normalized else network


def cnn_to_train(config: Config, start: keras.Model | None, pixels: Callable[[], Float32]) -> keras.Model:
    """The run's CNN, with fresh weights, or those of ``start`` with what normalizations need to know of ``pixels``."""
    with computing_in(config.precision):
        network = network_to_train(config)
    if start is not None and config.recipe.normalized:
        begin_as(network, start, pixels())
    elif start is not None:
        network.set_weights(start.get_weights())
    return network


def normalized(network: keras.Model) -> keras.Model:
    """A network like ``network``, one chain of layers, with fresh weights, normalized before each of its ReLUs.

    Conv2D and Dense layers with a ReLU lose bias and ReLU to the BatchNormalization and ReLU that follow them
    (arXiv 1502.03167, section 3.2). Of an article's network without normalizations this is another way to find its
    weights (``plain``), as in arXiv 2101.03697, section 3.3, and no other network.
    """
    pixels = tensor = keras.Input(network.input_shape[1:], name="pixels")
    outputs: dict[str, keras.KerasTensor] = {}
    for layer in flattened(network):
        config = layer.get_config()
        has_relu = config.get("activation") == "relu"
        if has_relu:
            config |= {"activation": "linear", "use_bias": False}
        tensor = layer.__class__.from_config(config)(tensor)
        if has_relu:
            tensor = layers.ReLU()(BatchNormalization()(tensor))
        if layer.name in network.output:
            outputs[layer.name] = tensor
    return keras.Model(pixels, outputs, name=network.name)


def plain(trained: keras.Model, network: keras.Model) -> keras.Model:
    """``network``, given weights with which it does what ``trained``, ``normalized`` of another such network, does
    outside training."""
    given = iter(layer for layer in flattened(trained) if layer.weights)
    for layer in flattened(network):
        if layer.weights:
            weights = next(given).get_weights()
            layer.set_weights(folded(weights[0], next(given)) if len(weights) == 1 else weights)
    return network


def begin_as(trained: keras.Model, network: keras.Model, pixels: Float32) -> None:
    """Gives ``trained``, ``normalized`` of another such network, weights with which it does what ``network`` does.

    Each normalization gets the statistics of what reaches it of ``pixels``, float32 (N, H, W, C), and undoes itself.
    """
    given = iter(layer for layer in flattened(trained) if layer.weights)
    for layer in flattened(network):
        if not layer.weights:
            continue
        kernel, *others = layer.get_weights()
        target = next(given)
        target.set_weights([kernel, *others][: len(target.weights)])
        if len(target.weights) == 1:
            norm = next(given)
            mean, variance = statistics(keras.Model(trained.input, norm.input), pixels)
            norm.set_weights([np.sqrt(variance + norm.epsilon), mean + others[0], mean, variance])


def folded(kernel: Float32, norm: layers.BatchNormalization) -> list[Float32]:
    """Kernel (..., filters) and bias (filters,) that do what ``kernel`` without a bias and then ``norm`` do."""
    scale, shift = affine_of(norm)
    return [kernel * scale, shift]


def affine_of(norm: layers.BatchNormalization) -> tuple[Float32, Float32]:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta (arXiv 1502.03167, section 3.1) as one scale and shift of
    each channel, both (C,)."""
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale, beta - mean * scale
