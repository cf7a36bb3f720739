"""Augmentation by Keras's own layers, run inside the training graph and so on the GPU where there is one."""

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from train.recipes import Augmentation

RANGE = {"value_range": (0, 255)}


def augmentation_layers(config: Augmentation, seed: int) -> list[layers.Layer]:
    """Layers for float pixels (N, H, W, C) of objects on black; outside training they are the identity.

    The pictures are doubled first and halved at the end, so that four resamplings in a row move pixels by halves
    instead of blurring them: at 28x28 the blur of bilinear resampling costs more than augmentation gains.
    """
    return [
        layers.UpSampling2D(2),
        *moving_layers(config, seed),
        *lighting_layers(config, seed),
        layers.AveragePooling2D(2),
    ]


def moving_layers(config: Augmentation, seed: int) -> list[layers.Layer]:
    """Flip, rotation, shift, shear and zoom, for float pixels (N, H, W, C); what comes in from outside is 0."""
    shear = math.tan(math.radians(config.shear_deg))
    style = {"fill_mode": "constant", "interpolation": "nearest"}
    slight = {"fill_mode": "constant", "interpolation": "bilinear"}  # the article's is less than half a pixel
    return [
        *([layers.RandomFlip("horizontal", seed=seed + 4)] if config.flip else []),
        layers.RandomRotation(config.rotation_deg / 360, seed=seed, **style),
        layers.RandomTranslation(config.shift, config.shift, seed=seed + 1, **style),
        layers.RandomShear(shear, shear, seed=seed + 2, **slight),
        layers.RandomZoom(config.zoom, config.zoom, seed=seed + 3, **style),
    ]


class RandomBlur(layers.Layer):  # type: ignore[misc]
    """In training blurs every second picture, float (N, S, S, C) 0..255, by a Gaussian whose sigmas across and down are
    drawn for the whole batch from 0 to ``share`` of the side. The picture is reflected beyond its edges."""

    def __init__(self, share: float, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share, self.seed = share, seed

    def build(self, input_shape: tuple[int, ...]) -> None:
        sigma = self.share * input_shape[1]
        self.reach = math.ceil(2 * sigma)
        self.blur = layers.RandomGaussianBlur((0.5, 0.5), 2 * self.reach + 1, (0.0, sigma), seed=self.seed, **RANGE)

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return inputs
        reach, side = self.reach, inputs.shape[1]
        wider = ops.pad(inputs, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="reflect")
        return self.blur(wider, training=True)[:, reach : reach + side, reach : reach + side]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def lighting_layers(config: Augmentation, seed: int) -> list[layers.Layer]:
    """Blur, brightness, contrast and erasing, for float pixels (N, S, S, C) 0..255; those that ``config`` has."""
    changes: list[layers.Layer] = [RandomBlur(config.blur, seed + 8)] if config.blur else []
    if config.brightness:
        changes.append(layers.RandomBrightness(config.brightness, seed=seed + 5, **RANGE))
    if config.contrast:
        both_ways = (config.contrast, config.contrast)  # of a single number Keras takes only what is added
        changes.append(layers.RandomContrast(both_ways, seed=seed + 6, **RANGE))
    if config.erasing:
        scale = (0.02, config.erasing)
        # Keras draws the probability, too: from 0 to ``factor``, which is a quarter on average
        changes.append(layers.RandomErasing(factor=0.5, scale=scale, seed=seed + 7, **RANGE))
    return changes


def reseed(augment: keras.Model, numbers: tuple[int, ...]) -> None:
    """Sets every random generator in ``augment`` to a state that follows from ``numbers`` alone."""
    random = np.random.default_rng(numbers)
    for variable in augment.non_trainable_variables:
        variable.assign(random.integers(0, 2**31, variable.shape).astype(variable.dtype))
