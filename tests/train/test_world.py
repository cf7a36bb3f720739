"""Pasting with exact pixels; what each part of a batch goes through."""

import dataclasses

import keras
import numpy as np
import pytest

from train.recipes import Augmentation, Recipe, live
from train.world import PasteOnBackground, live_augmentation, paste

STILL = Augmentation(rotation_deg=0, shift=0, shear_deg=0, zoom=0)


def test_pasting_mixes_by_the_mask() -> None:
    picture, mask, background = (
        np.array(values, np.float32) for values in ([200, 200, 200], [255, 0, 51], [10, 20, 30])
    )
    assert np.asarray(paste(picture, mask, background)).tolist() == pytest.approx([200, 20, 64])


def test_the_background_stays_where_the_picture_is_moved_away() -> None:
    class Right(keras.layers.Layer):  # type: ignore[misc]
        def call(self, pictures: keras.KerasTensor) -> keras.KerasTensor:
            return keras.ops.pad(pictures[:, :, :-1], [(0, 0), (0, 0), (1, 0), (0, 0)])

    layer = PasteOnBackground(keras.Sequential([keras.Input((1, 3, 2)), Right()]))
    inputs = np.array([[[100, 255, 1], [110, 255, 2], [120, 255, 3]]], np.float32)[np.newaxis]
    assert np.asarray(layer(inputs))[0, 0, :, 0].tolist() == [1, 100, 110]


def standing_still(recipe: Recipe) -> Recipe:
    """The recipe, with no augmentation but the pasting."""
    assert recipe.mixture is not None
    return dataclasses.replace(
        recipe, augmentation=STILL, mixture=dataclasses.replace(recipe.mixture, augmentation=STILL)
    )


def test_only_the_world_is_pasted_and_nothing_happens_outside_training() -> None:
    augment = live_augmentation(1, (2, 2, 1), standing_still(live("cnn1", on_gpu=False)), seed=1)
    inputs = np.zeros((3, 4, 4, 3), np.float32)
    inputs[..., 0], inputs[..., 2] = 100, 60  # the mask is 0: all of the picture gives way
    assert np.asarray(augment(inputs, training=True))[:, 0, 0, 0].tolist() == [100, 60, 60]
    assert np.asarray(augment(inputs, training=False))[:, 0, 0, 0].tolist() == [100, 100, 100]
    assert augment(inputs).shape == (3, 2, 2, 1)


def test_augmented_pictures_stay_in_range_and_differ() -> None:
    augment = live_augmentation(2, (28, 28, 1), live("cnn1", on_gpu=False), seed=1)
    inputs = np.random.default_rng(1).integers(0, 256, (6, 56, 56, 3)).astype(np.float32)
    first, second = (np.asarray(augment(inputs, training=True)) for _ in range(2))
    assert first.shape == (6, 28, 28, 1) and first.min() >= 0 and first.max() <= 255
    assert all(np.abs(a - b).mean() > 1 for a, b in zip(first, second, strict=True))


def test_colours_are_pasted_alike() -> None:
    augment = live_augmentation(1, (2, 2, 3), standing_still(live("vgg19", on_gpu=False)), seed=1)
    inputs = np.zeros((2, 2, 2, 7), np.float32)
    inputs[..., :3], inputs[..., 3], inputs[..., 4:] = (200, 0, 100), 51, (0, 100, 50)
    first, second = np.asarray(augment(inputs, training=True))[:, 0, 0]
    assert first.tolist() == [200, 0, 100]
    grey = 0.2989 * 40 + 0.587 * 80 + 0.114 * 60
    assert second.tolist() in (pytest.approx([40, 80, 60], abs=1e-3), pytest.approx([grey] * 3, abs=0.5))
