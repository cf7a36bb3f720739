"""Framing `object`: the garment is found, and shown as Fashion-MNIST shows it."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge_app.classifier import Classifier
from edge_app.garment import find_garment, garment_to_input
from edge_app.models import contracts
from train.data import load_fashion_mnist

UInt8 = npt.NDArray[np.uint8]

INK = (60, 60, 60)


def sheet(height: int = 100, width: int = 112, colour: tuple[int, int, int] = (255, 255, 255)) -> UInt8:
    return np.full((height, width, 3), colour, np.uint8)


def test_the_mask_is_the_garment_to_the_pixel() -> None:
    frame_rgb = sheet()
    frame_rgb[10:90, 30:70] = INK
    mask = find_garment(frame_rgb)
    assert mask.dtype == np.uint8
    assert mask.shape == (100, 112)
    np.testing.assert_array_equal(np.argwhere(mask)[[0, -1]], [[10, 30], [89, 69]])
    assert mask.sum() == 80 * 40


def test_holes_are_filled() -> None:
    frame_rgb = sheet()
    frame_rgb[10:90, 30:70] = INK
    frame_rgb[40:60, 40:60] = 255
    assert find_garment(frame_rgb).sum() == 80 * 40


def test_of_two_equal_regions_the_central_one_is_taken() -> None:
    frame_rgb = sheet(90, 112)
    frame_rgb[5:25, 5:25] = INK
    frame_rgb[35:55, 46:66] = INK
    rows, columns = np.nonzero(find_garment(frame_rgb))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (35, 54, 46, 65)


def test_of_two_regions_the_much_larger_one_is_taken() -> None:
    frame_rgb = sheet(90, 112)
    frame_rgb[5:65, 5:45] = INK
    frame_rgb[40:48, 52:60] = INK
    assert find_garment(frame_rgb).sum() == 60 * 40


@pytest.mark.parametrize("shape", [(100, 120), (1, 1), (2, 3), (1, 500), (700, 3)])
def test_the_whole_frame_where_nothing_differs(shape: tuple[int, int]) -> None:
    frame_rgb = sheet(*shape, (200, 180, 90))
    mask = find_garment(frame_rgb)
    assert mask.shape == shape
    assert mask.all()
    assert garment_to_input(frame_rgb, 28, "grey").shape == (28, 28, 1)


def test_a_background_with_light_across_it_is_background() -> None:
    frame_rgb = sheet(112, 112)
    frame_rgb[:] = np.linspace(120, 220, 112).astype(np.uint8)[np.newaxis, :, np.newaxis]
    frame_rgb[20:92, 36:76] = (150, 20, 30)
    np.testing.assert_array_equal(np.argwhere(find_garment(frame_rgb))[[0, -1]], [[20, 36], [91, 75]])


def test_trimmed_resized_negated_sharpened_and_centred() -> None:
    frame_rgb = sheet()
    frame_rgb[10:90, 30:70] = INK
    image = garment_to_input(frame_rgb, 28, "grey")
    assert image.dtype == np.uint8
    assert image.shape == (28, 28, 1)
    # 80x40 pixels become 28x14, in columns 7..20; 255 - 60 = 195
    assert not image[:, :7].any()
    assert not image[:, 21:].any()
    assert (image[1:27, 8:20] == 195).all()
    # a Gaussian of radius 1, deviation 1 weighs exp(-.5) / (1 + 2 exp(-.5)) = 0.2741 for each neighbour: along an edge
    # 195 * (1 + 0.5 * 0.2741) = 221.7, in a corner 195 * (1 + 0.5 * (1 - 0.7259 ** 2)) = 241.1
    assert (image[1:27, [7, 20]] == 222).all()
    assert (image[[0, 27], 8:20] == 222).all()
    assert (image[[0, 0, 27, 27], [7, 20, 7, 20]] == 241).all()


def test_a_wide_garment_is_centred_from_top_to_bottom() -> None:
    frame_rgb = sheet()
    frame_rgb[40:60, 20:100] = INK
    image = garment_to_input(frame_rgb, 28, "grey")[..., 0]  # 20x80 becomes 7x28, in rows 10..16
    np.testing.assert_array_equal(np.flatnonzero(image.any(axis=1)), range(10, 17))


def test_the_background_is_black_whatever_it_was() -> None:
    frame_rgb = sheet(colour=(40, 60, 90))
    frame_rgb[20:90, 40:75] = (230, 220, 210)
    image = garment_to_input(frame_rgb, 28, "grey")[..., 0]
    assert not image[:, :7].any()
    assert 20 < image[5:23, 10:18].mean() < 60  # light cloth is dark in Fashion-MNIST


def test_shoes_point_left() -> None:
    frame_rgb = sheet()
    frame_rgb[60:80, 20:100] = INK
    frame_rgb[35:60, 70:100] = INK  # the shaft
    pointing_left = garment_to_input(frame_rgb, 28, "grey")
    pointing_right = garment_to_input(np.ascontiguousarray(frame_rgb[:, ::-1]), 28, "grey")
    np.testing.assert_array_equal(pointing_left, pointing_right)
    assert pointing_left[8, 24] > 150
    assert pointing_left[8, 4] == 0


def test_a_tall_garment_is_not_turned_round() -> None:
    frame_rgb = sheet()
    frame_rgb[10:90, 40:60] = INK
    frame_rgb[10:40, 30:40] = INK  # one sleeve, on the left
    image = garment_to_input(frame_rgb, 28, "grey")[..., 0]
    assert image[:10, :14].sum() > image[:10, 14:].sum()


def test_colour_repeats_the_grey_of_28_pixels_enlarged() -> None:
    frame_rgb = sheet()
    frame_rgb[10:90, 30:70] = (200, 30, 90)
    small = garment_to_input(frame_rgb, 28, "grey")[..., 0]
    large = garment_to_input(frame_rgb, 64, "rgb")
    assert large.shape == (64, 64, 3)
    for channel in range(3):
        np.testing.assert_array_equal(large[..., channel], cv2.resize(small, (64, 64), interpolation=cv2.INTER_LINEAR))


def shop_picture(image: UInt8, random: np.random.Generator, ground: int) -> UInt8:
    """A Fashion-MNIST image (28, 28) turned back: dark on a light ground, enlarged, somewhere in a frame of 240x320."""
    side = int(random.integers(120, 220))
    frame = np.full((240, 320), 255.0)
    top, left = random.integers(0, 240 - side), random.integers(0, 320 - side)
    enlarged = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    frame[top : top + side, left : left + side] = 255.0 - enlarged
    frame = frame * (ground / 255) + random.normal(0, 1, frame.shape)
    return np.repeat(frame.clip(0, 255).astype(np.uint8)[..., np.newaxis], 3, axis=-1)


def accuracy(classifier: Classifier, labels: UInt8, inputs: list[UInt8]) -> float:
    return float((classifier.logits(np.stack(inputs)).argmax(axis=1) == labels).mean())


@pytest.mark.parametrize("ground", [255, 215])
def test_shop_pictures_are_named_as_the_images_they_came_from(data_dir: Path, ground: int) -> None:
    name = next(contract.name for contract in contracts() if contract.variant == "fashion-mnist")
    classifier, random = Classifier.load(name), np.random.default_rng(0)
    val = load_fashion_mnist(str(data_dir), seed=1).val  # the split of the models that ship: none has learned them
    images, labels = val.images[:1000], val.labels[:1000]
    frames = [shop_picture(image, random, ground) for image in images]

    def loss(framed: Callable[[UInt8], UInt8]) -> float:
        """How much accuracy the frames lose against the images themselves."""
        as_they_are = accuracy(classifier, labels, [image[..., np.newaxis] for image in images])
        return as_they_are - accuracy(classifier, labels, [framed(frame_rgb) for frame_rgb in frames])

    assert loss(lambda frame_rgb: garment_to_input(frame_rgb, 28, "grey")) <= 0.02
    # what the limit is worth: the same, forgetting to negate
    assert loss(lambda frame_rgb: np.uint8(255) - garment_to_input(frame_rgb, 28, "grey")) > 0.3
