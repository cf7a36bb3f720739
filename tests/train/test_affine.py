"""One affine resampling with exact pixels."""

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from train.affine import RandomAffine, affine_transforms
from train.recipes import Augmentation

PICTURE = np.arange(1, 17, dtype=np.float32).reshape(1, 4, 4, 1)
LIMITS = Augmentation(rotation_deg=90, shift=0.25, shear_deg=45, zoom=0.5, flip=True)
ROTATION, SHEAR, ZOOM_X, ZOOM_Y, SHIFT_X, SHIFT_Y, FLIP = range(7)


def moved(fill: str = "constant", **drawn: float) -> npt.NDArray[np.float32]:
    """PICTURE's pixels (4, 4) after what is drawn (-1..1) of LIMITS."""
    numbers = np.zeros((7, 1), np.float32)
    for name, value in drawn.items():
        numbers[globals()[name]] = value
    transforms = affine_transforms(LIMITS, ops.convert_to_tensor(numbers), 4, 4)
    result = ops.image.affine_transform(PICTURE, transforms, interpolation="bilinear", fill_mode=fill)
    return np.asarray(ops.convert_to_numpy(result))[0, :, :, 0]


def test_nothing_drawn_moves_nothing() -> None:
    assert np.array_equal(moved(), PICTURE[0, :, :, 0])


def test_each_change_moves_the_pixels_it_should() -> None:
    picture = PICTURE[0, :, :, 0]
    assert moved(FLIP=-1) == pytest.approx(picture[:, ::-1])
    assert moved(FLIP=1) == pytest.approx(picture)
    assert moved(ROTATION=1) == pytest.approx(np.rot90(picture), abs=1e-4)
    assert moved(SHIFT_X=1).tolist() == [[2, 3, 4, 0], [6, 7, 8, 0], [10, 11, 12, 0], [14, 15, 16, 0]]
    assert moved(SHIFT_Y=-1).tolist() == [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    # Columns come from 1.5 + 0.5 * (column - 1.5): 0.75, 1.25, 1.75, 2.25.
    assert moved(ZOOM_X=-1)[0] == pytest.approx([1.75, 2.25, 2.75, 3.25])
    assert moved(ZOOM_Y=-1)[:, 0] == pytest.approx([4, 6, 8, 10])
    # A row comes from 1.5 + (row - 1.5) * cos 45 degrees, and a column from (row - 1.5) * sin 45 degrees to its left.
    row, left = 1.5 + 0.5 * np.sqrt(0.5), 0.5 * np.sqrt(0.5)
    assert moved(SHEAR=1)[2, 1] == pytest.approx(1 + 4 * row + 1 - left, abs=1e-4)


def test_what_comes_in_is_the_pixel_at_the_edge_if_asked() -> None:
    assert moved("nearest", SHIFT_X=1).tolist() == [[2, 3, 4, 4], [6, 7, 8, 8], [10, 11, 12, 12], [14, 15, 16, 16]]


def test_tensorflow_is_not_told_to_compile_what_it_cannot() -> None:
    """On a GPU Keras compiles a model by XLA if all of its layers say that they can be: that has no resampling."""
    layer = RandomAffine(LIMITS, seed=1)
    assert layer.supports_jit is (keras.backend.backend() != "tensorflow")
    assert layer.supports_jit is keras.layers.RandomRotation(0.1).supports_jit


def test_every_picture_is_moved_otherwise_and_none_outside_training() -> None:
    layer = RandomAffine(LIMITS, seed=1)
    pictures = np.repeat(PICTURE, 3, axis=0)
    first, second, third = np.asarray(ops.convert_to_numpy(layer(pictures, training=True)))
    assert not np.allclose(first, second) and not np.allclose(second, third)
    assert np.array_equal(ops.convert_to_numpy(layer(pictures)), pictures)
