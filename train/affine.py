"""Moving pictures about in training: flip, rotation, shear, zoom and shift in one go."""

import math
from typing import Any

import keras
from keras import layers, ops

from train.recipes import Augmentation


class RandomAffine(layers.Layer):  # type: ignore[misc]
    """In training flips, turns, shears, zooms and shifts each picture, float (N, H, W, C), in one bilinear resampling.

    Keras's layers for it in a row resample four times, and photos have details that do not survive that at 28x28.
    ``fill``: what comes in from outside is 0 ("constant") or the pixel at the edge ("nearest").
    """

    def __init__(self, config: Augmentation, seed: int, fill: str = "constant", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.fill = config, fill
        self.supports_jit = keras.backend.backend() != "tensorflow"  # whose XLA cannot resample
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return inputs
        drawn = keras.random.uniform((7, ops.shape(inputs)[0]), -1, 1, seed=self.seeds)
        transforms = affine_transforms(self.config, drawn, inputs.shape[1], inputs.shape[2])
        return ops.image.affine_transform(inputs, transforms, interpolation="bilinear", fill_mode=self.fill)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def affine_transforms(config: Augmentation, drawn: keras.KerasTensor, height: int, width: int) -> keras.KerasTensor:
    """Seven numbers -1..1 for each picture, float (7, N) -> float (N, 8), as ``ops.image.affine_transform`` wants.

    They are shares of the rotation, shear, horizontal and vertical zoom and shift that ``config`` allows; the last says
    by its sign whether the picture is flipped. The matrix, rotation times shear times zoom, takes a place in the result
    to the one it comes from, about the picture's middle.
    """
    angle = drawn[0] * math.radians(config.rotation_deg)
    sheared = angle + drawn[1] * math.radians(config.shear_deg)
    across, down = 1 + drawn[2] * config.zoom, 1 + drawn[3] * config.zoom
    if config.flip:
        across = across * ops.where(drawn[6] < 0, -1.0, 1.0)
    xx, xy = ops.cos(angle) * across, -ops.sin(sheared) * down
    yx, yy = ops.sin(angle) * across, ops.cos(sheared) * down
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    x = middle_x - xx * middle_x - xy * middle_y + drawn[4] * config.shift * width
    y = middle_y - yx * middle_x - yy * middle_y + drawn[5] * config.shift * height
    none = ops.zeros_like(xx)
    return ops.stack([xx, xy, x, yx, yy, y, none, none], axis=1)
