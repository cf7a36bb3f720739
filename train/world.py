"""Augmentation for the live models: garments and photos moved about and put in front of real backgrounds."""

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from train.augment import moving_layers
from train.recipes import Augmentation

UInt8 = npt.NDArray[np.uint8]


class PasteOnBackground(layers.Layer):  # type: ignore[misc]
    """Pictures with masks, float (N, S, S, 2) 0..255 -> pictures in front of random backgrounds, float (N, S, S, 1).

    Channel 0 is the picture, channel 1 how much of it covers the background (0 none, 255 all of it):
    ``out = picture * cover + background * (1 - cover)`` with ``cover = mask / 255``. Backgrounds, uint8 (M, S, S), are
    drawn anew at each call.
    """

    def __init__(self, backgrounds: UInt8, seed: int) -> None:
        super().__init__()
        self.backgrounds = self.add_weight(
            shape=backgrounds.shape, dtype="uint8", trainable=False, initializer=lambda *_, **__: backgrounds
        )
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        chosen = keras.random.randint(
            (ops.shape(inputs)[0],), 0, self.backgrounds.shape[0], dtype="int32", seed=self.seed_generator
        )
        background = ops.cast(ops.take(self.backgrounds, chosen, axis=0), inputs.dtype)
        return paste(inputs[..., 0], inputs[..., 1], background)[..., None]


def paste(picture: keras.KerasTensor, mask: keras.KerasTensor, background: keras.KerasTensor) -> keras.KerasTensor:
    """``picture`` where ``mask`` is 255, ``background`` where it is 0, their mean weighted by it between; all (N, S, S)."""
    cover = mask / 255
    return picture * cover + background * (1 - cover)


class ByPart(layers.Layer):  # type: ignore[misc]
    """In training, gives the first ``first`` rows of a batch to one model and the others to another.

    Pictures with masks, float (N, 2S, 2S, 2), become pixels, float (N, S, S, 1). Outside training the mask is left
    out and the picture halved, and nothing else happens.
    """

    def __init__(self, first: int, as_they_are: keras.Model, in_the_world: keras.Model) -> None:
        super().__init__()
        self.first, self.as_they_are, self.in_the_world = first, as_they_are, in_the_world
        self.halve = layers.AveragePooling2D(2)

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return self.halve(inputs[..., :1])
        parts = [
            self.as_they_are(inputs[: self.first, ..., :1], training=True),
            self.in_the_world(inputs[self.first :], training=True),
        ]
        return self.halve(ops.concatenate(parts, axis=0))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, _ = input_shape
        return batch, None if height is None else height // 2, None if width is None else width // 2, 1


def world_layers(backgrounds: UInt8, seed: int) -> list[layers.Layer]:
    """Strong changes for pictures with masks, float (N, S, S, 2) -> pictures, float (N, S, S, 1), 0..255.

    What is moved out of the frame's edge shows the background.
    """
    moved = {"fill_mode": "constant", "interpolation": "bilinear"}
    return [
        layers.RandomFlip("horizontal", seed=seed),
        layers.RandomRotation(15 / 360, seed=seed + 1, **moved),
        layers.RandomTranslation(0.12, 0.12, seed=seed + 2, **moved),
        layers.RandomZoom((-0.3, 0.3), seed=seed + 3, **moved),
        layers.RandomShear(0.1, 0.1, seed=seed + 4, **moved),
        PasteOnBackground(backgrounds, seed + 5),
        layers.RandomBrightness(0.2, value_range=(0, 255), seed=seed + 6),
        layers.RandomContrast(0.4, value_range=(0, 255), seed=seed + 7),
        layers.RandomErasing(factor=0.3, scale=(0.02, 0.15), value_range=(0, 255), seed=seed + 8),
    ]


def live_augmentation(first: int, side: int, config: Augmentation, backgrounds: UInt8, seed: int) -> keras.Model:
    """Pictures with masks, float (N, side, side, 2) -> pixels, float (N, side / 2, side / 2, 1), augmented in training.

    ``first`` rows of each batch are Fashion-MNIST and stay as they are but for the article's changes.
    """
    as_they_are = keras.Sequential([keras.Input((side, side, 1)), *moving_layers(config, seed)])
    in_the_world = keras.Sequential([keras.Input((side, side, 2)), *world_layers(backgrounds, seed + 10)])
    pictures = keras.Input((side, side, 2))
    return keras.Model(pictures, ByPart(first, as_they_are, in_the_world)(pictures), name="augmentation")
