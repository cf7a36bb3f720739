"""Augmentation for the live models: garments and photos moved about and put in front of real backgrounds."""

import keras
from keras import layers, ops

from train.augment import lighting_layers, moving_layers
from train.recipes import Recipe


def paste(picture: keras.KerasTensor, mask: keras.KerasTensor, background: keras.KerasTensor) -> keras.KerasTensor:
    """``picture * cover + background * (1 - cover)`` with ``cover = mask / 255``; all of one shape, 0..255."""
    cover = mask / 255
    return picture * cover + background * (1 - cover)


class PasteOnBackground(layers.Layer):  # type: ignore[misc]
    """Moves pictures with their masks and pastes them on backgrounds that stay: float (N, S, S, 3) -> (N, S, S, 1).

    The channels are picture, mask and background, 0..255. Where a picture is moved away the background appears.
    """

    def __init__(self, moving: keras.Model) -> None:
        super().__init__()
        self.moving = moving

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        moved = self.moving(inputs[..., :2], training=training)
        return paste(moved[..., :1], moved[..., 1:], inputs[..., 2:])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return *input_shape[:3], 1


class ByPart(layers.Layer):  # type: ignore[misc]
    """In training, gives the first ``first`` rows of a batch to one model and the others to another.

    Picture, mask and background, float (N, 2S, 2S, 3), become pixels, float (N, S, S, 1). Outside training it is the
    picture, halved, and nothing else happens.
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


def live_augmentation(first: int, side: int, recipe: Recipe, seed: int) -> keras.Model:
    """Picture, mask and background, float (N, side, side, 3) -> pixels, float (N, side / 2, side / 2, 1), augmented.

    The ``first`` rows of each batch are Fashion-MNIST and change only as the recipe's own augmentation says. The others
    are moved and pasted on their backgrounds, then lit and erased, as its mixture's says.
    """
    assert recipe.mixture is not None
    gentle, strong = recipe.augmentation, recipe.mixture.augmentation
    as_they_are = keras.Sequential([keras.Input((side, side, 1)), *moving_layers(gentle, seed)])
    moving = keras.Sequential([keras.Input((side, side, 2)), *moving_layers(strong, seed + 10)])
    in_the_world = keras.Sequential(
        [keras.Input((side, side, 3)), PasteOnBackground(moving), *lighting_layers(strong, seed + 10)]
    )
    pictures = keras.Input((side, side, 3))
    return keras.Model(pictures, ByPart(first, as_they_are, in_the_world)(pictures), name="augmentation")
