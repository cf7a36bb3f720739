"""Training that heeds int8: a network that rounds while it learns as its conversion will round."""

import keras

from train.models import flattened

STEPS = 255  # between the 256 values of an activation
HALF = 127  # steps to either side of 0 of a weight


def rounded(network: keras.Model) -> keras.Model:
    """``network``, one chain of layers, with its own weights, as int8 makes it: pixels (N, H, W, C) -> logits.

    Each Conv2D and Dense is an Int8, and so computes in float32. What a conversion does besides, to fold batch
    normalizations and to give channels like sizes, is left out.
    """
    pixels = tensor = keras.Input(network.input_shape[1:])
    for operation in flattened(network):
        has_kernel = isinstance(operation, keras.layers.Conv2D | keras.layers.Dense)
        tensor = Int8(operation)(tensor) if has_kernel else operation(tensor)
    return keras.Model(pixels, tensor)


class Int8(keras.layers.Layer):  # type: ignore[misc]
    """A Conv2D or Dense with weights and outputs of 8 bits: simulated quantization, arXiv 1712.05877 section 3.

    Weights have one scale for each channel that comes out, from their largest; outputs one for all, from the batch's
    extremes. (Calibration leaves out one of 200 pictures, about as many as reach beyond the extremes of a batch.)
    """

    def __init__(self, layer: keras.layers.Layer) -> None:
        super().__init__()
        self.layer = layer

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        kernel = self.layer.kernel.value
        largest = keras.ops.max(keras.ops.abs(kernel), axis=tuple(range(len(kernel.shape) - 1)), keepdims=True)
        weights = [to_steps(kernel, largest / HALF), self.layer.bias.value]
        outputs, _ = self.layer.stateless_call(weights, [], inputs)
        return to_steps(outputs, (keras.ops.max(outputs) - keras.ops.min(outputs)) / STEPS)


def to_steps(values: keras.KerasTensor, step: keras.KerasTensor) -> keras.KerasTensor:
    """The nearest multiples of ``step`` (> 0, or all ``values`` are 0); gradients pass as if nothing was rounded (the
    straight-through estimator, arXiv 1308.3432)."""
    step = keras.ops.maximum(step, keras.config.epsilon() * keras.config.epsilon())
    return values + keras.ops.stop_gradient(keras.ops.round(values / step) * step - values)
