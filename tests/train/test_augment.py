"""Light and blur: what is drawn, and that it can be drawn again."""

import dataclasses

import keras
import numpy as np

from train.augment import lighting_layers, reseed
from train.recipes import Augmentation

NOTHING = Augmentation(rotation_deg=0, shift=0, shear_deg=0, zoom=0)


def lighting(side: int, contrast: float = 0, blur: float = 0) -> keras.Model:
    config = dataclasses.replace(NOTHING, contrast=contrast, blur=blur)
    return keras.Sequential([keras.Input((side, side, 1)), *lighting_layers(config, seed=1)])


def test_contrast_falls_as_far_as_it_rises() -> None:
    pictures = np.tile(np.array([100, 150], np.float32), (2000, 2, 1))[..., np.newaxis]
    views = np.asarray(lighting(2, contrast=0.3)(pictures, training=True))
    factors = np.ptp(views, axis=(1, 2, 3)) / 50
    assert 0.7 <= factors.min() < 0.71 and 1.29 < factors.max() <= 1.3
    assert abs(factors.mean() - 1) < 0.02


def test_every_second_picture_is_blurred_no_more_than_allowed() -> None:
    side, share = 25, 0.08  # sigmas up to 2 pixels
    dot = np.zeros((100, side, side, 1), np.float32)
    dot[:, 12, 12] = 200
    blur = lighting(side, blur=share)
    places = np.arange(side) - 12
    seen = []
    for batch in range(10):
        reseed(blur, (1, batch))
        views = np.asarray(blur(dot, training=True))[..., 0]
        blurred = (views != dot[..., 0]).any(axis=(1, 2))
        seen.append(blurred.sum())
        np.testing.assert_allclose(views.sum(axis=(1, 2)), 200, rtol=1e-5)
        for axis in (1, 2) if blurred.any() else ():
            variance = (views[blurred].sum(axis=axis) * places**2).sum(axis=1) / 200
            assert np.ptp(variance) < 1e-3  # one sigma for the batch, another for the other direction
            assert (variance <= 2**2).all()
        reseed(blur, (1, batch))
        np.testing.assert_array_equal(np.asarray(blur(dot, training=True))[..., 0], views)
    assert all(25 <= count <= 75 or count == 0 for count in seen)  # none where both sigmas are close to 0
    assert np.count_nonzero(seen) >= 7
    np.testing.assert_array_equal(np.asarray(blur(dot)), dot)


def test_an_even_picture_stays_even_to_its_edges() -> None:
    even = np.full((20, 10, 10, 1), 90, np.float32)
    np.testing.assert_allclose(np.asarray(lighting(10, blur=0.1)(even, training=True)), even, rtol=1e-5)
