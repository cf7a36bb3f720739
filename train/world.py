"""Augmentation for the live models: garments and photos moved about and put in front of real backgrounds."""

import keras
from keras import layers, ops

from train.augment import lighting_layers, moving_layers
from train.recipes import Recipe

GREY_SHARE = 0.2  # of the RGB pictures: a colour model is to know garments by their form, too


def paste(picture: keras.KerasTensor, mask: keras.KerasTensor, background: keras.KerasTensor) -> keras.KerasTensor:
    """``picture * cover + background * (1 - cover)`` with ``cover = mask / 255``; all of one shape, 0..255."""
    cover = mask / 255
    return picture * cover + background * (1 - cover)


class PasteOnBackground(layers.Layer):  # type: ignore[misc]
    """Moves pictures with their masks and pastes them on backgrounds that stay.

    float (N, S, S, 2 C + 1) -> (N, S, S, C). The channels are picture, mask and background, 0..255. Where a picture is
    moved away the background appears.
    """

    def __init__(self, moving: keras.Model) -> None:
        super().__init__()
        self.moving = moving

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        channels = inputs.shape[-1] // 2
        moved = self.moving(inputs[..., : channels + 1], training=training)
        return paste(moved[..., :channels], moved[..., channels:], inputs[..., channels + 1 :])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return *input_shape[:3], (input_shape[3] or 0) // 2


class ByPart(layers.Layer):  # type: ignore[misc]
    """In training, gives the first ``first`` rows of a batch to one model and the others to another.

    Picture, mask and background, float (N, S, S, 2 C + 1), become pictures, float (N, S, S, C). Outside training it is
    the picture, and nothing happens.
    """

    def __init__(self, first: int, as_they_are: keras.Model, in_the_world: keras.Model) -> None:
        super().__init__()
        self.first, self.as_they_are, self.in_the_world = first, as_they_are, in_the_world

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        pictures = inputs[..., : inputs.shape[-1] // 2]
        if not training:
            return pictures
        parts = [
            self.as_they_are(pictures[: self.first], training=True),
            self.in_the_world(inputs[self.first :], training=True),
        ]
        return ops.concatenate(parts, axis=0)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return *input_shape[:3], (input_shape[3] or 0) // 2


def live_augmentation(first: int, shape: tuple[int, int, int], recipe: Recipe, seed: int) -> keras.Model:
    """Picture, mask and background, float (N, S, S, 2 C + 1) -> pixels, float (N, *shape), augmented in training.

    The ``first`` rows of each batch are Fashion-MNIST and change only as the recipe's own augmentation says. The others
    are moved and pasted on their backgrounds, then lit and erased, as its mixture's says. Grey pictures come doubled
    (S = 2 * shape[0]) and are halved at the end, as in train.augment; RGB ones, which are larger, do not.
    """
    assert recipe.mixture is not None
    gentle, strong, channels = recipe.augmentation, recipe.mixture.augmentation, shape[-1]
    side = shape[0] * 2 if channels == 1 else shape[0]
    as_they_are = keras.Sequential([keras.Input((side, side, channels)), *moving_layers(gentle, seed)])
    moving = keras.Sequential([keras.Input((side, side, channels + 1)), *moving_layers(strong, seed + 10, "nearest")])
    in_the_world = keras.Sequential(
        [
            keras.Input((side, side, 2 * channels + 1)),
            PasteOnBackground(moving),
            *lighting_layers(strong, seed + 10),
            *([layers.RandomGrayscale(GREY_SHARE, seed=seed + 20)] if channels == 3 else []),
        ]
    )
    inputs = keras.Input((side, side, 2 * channels + 1))
    pictures = ByPart(first, as_they_are, in_the_world)(inputs)
    pixels = layers.AveragePooling2D(2)(pictures) if channels == 1 else pictures
    return keras.Model(inputs, pixels, name="augmentation")
