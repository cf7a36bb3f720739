"""Preprocessing of pictures small enough to work out by hand."""

import tracemalloc

import numpy as np
import pytest

from edge_app.contract import InputSpec
from edge_app.pixels import brighten, pad_to_square, resize, to_grey
from edge_app.preprocess import MAX_SIDE, frame_to_input, images_to_input

GREY4 = InputSpec((4, 4, 1), "grey", "whole")
RGB4 = InputSpec((4, 4, 3), "rgb", "whole")
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def test_padding_repeats_the_edges_and_gives_the_odd_pixel_to_the_end() -> None:
    row = np.array([[[1], [2], [3], [4]]], dtype=np.uint8)
    assert pad_to_square(row)[..., 0].tolist() == [[1, 2, 3, 4]] * 4
    tall = np.array([[[1]], [[2]]], dtype=np.uint8)
    assert pad_to_square(tall)[..., 0].tolist() == [[1, 1], [2, 2]]
    two_rows = np.array([[[1]] * 5, [[9]] * 5], dtype=np.uint8)
    assert pad_to_square(two_rows)[:, 0, 0].tolist() == [1, 1, 9, 9, 9]


def test_resize_averages_areas_and_enlarges_bilinearly() -> None:
    image = np.array([[0, 4, 100, 104], [8, 12, 108, 112]], dtype=np.uint8)
    assert resize(image, 1, 2).tolist() == [[6, 106]]
    assert resize(image, 2, 4) is image
    assert resize(np.array([[0, 100]], dtype=np.uint8), 1, 4).tolist() == [[0, 25, 75, 100]]


def test_grey_is_bt601() -> None:
    frame = np.array([[RED, GREEN], [BLUE, WHITE]], dtype=np.uint8)
    # 0.299 * 255 = 76.2, 0.587 * 255 = 149.7, 0.114 * 255 = 29.1
    assert to_grey(frame)[..., 0].tolist() == [[76, 150], [29, 255]]


def test_a_dim_picture_is_brightened_and_no_other() -> None:
    dim = np.full((10, 10, 1), 20, np.uint8)
    dim[0, 0], dim[0, 1] = 250, 50  # 98 pixels of 20, so the 99th is 50; one lamp does not count
    assert np.unique(brighten(dim, 200, 8)).tolist() == [80, 200, 255]
    assert np.unique(brighten(dim, 200, 2)).tolist() == [40, 100, 255]
    assert brighten(dim, 50, 8) is dim
    assert not brighten(np.zeros((2, 2, 1), np.uint8), 200, 8).any()
    red = np.full((2, 2, 3), (100, 10, 5), np.uint8)  # grey 36; its largest channel counts
    assert brighten(red, 200, 8)[0, 0].tolist() == [200, 20, 10]


def test_whole_shows_what_a_dim_room_hides() -> None:
    frame = np.full((4, 4, 3), 25, np.uint8)
    frame[:, 2:] = 50
    assert frame_to_input(frame, GREY4)[0, :, 0].tolist() == [100, 100, 200, 200]
    assert frame_to_input(frame // 5, GREY4)[0, :, 0].tolist() == [40, 40, 80, 80]  # eightfold at most


def test_whole_keeps_colour_order() -> None:
    frame = np.array([[RED, BLUE]], dtype=np.uint8).repeat(4, axis=0).repeat(2, axis=1)
    pixels = frame_to_input(frame, RGB4)
    assert pixels.tolist() == [[list(RED)] * 2 + [list(BLUE)] * 2] * 4


def test_whole_pads_then_shrinks() -> None:
    # 4 wide, 8 high: black above, white below, padded to 8x8 and averaged 2x2
    frame = np.zeros((8, 4, 3), dtype=np.uint8)
    frame[4:] = 255
    assert frame_to_input(frame, GREY4)[..., 0].tolist() == [[0] * 4] * 2 + [[255] * 4] * 2


def test_a_long_picture_is_made_shorter_before_it_is_padded() -> None:
    frame = np.zeros((2, 4 * MAX_SIDE, 3), dtype=np.uint8)
    frame[:, 2 * MAX_SIDE :] = 255
    tracemalloc.start()
    pixels = frame_to_input(frame, GREY4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pixels[..., 0].tolist() == [[0, 0, 255, 255]] * 4
    assert peak < 1.1 * 3 * MAX_SIDE**2  # the square around the frame itself would be 16 times as much


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), dtype=np.uint8),
        np.zeros((4, 4, 4), dtype=np.uint8),
        np.zeros((0, 4, 3), dtype=np.uint8),
        np.zeros((4, 4, 3), dtype=np.float32),
    ],
)
def test_other_arrays_are_refused(frame: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \(H, W, 3\)"):
        frame_to_input(frame, GREY4)


def test_fashion_mnist_as_it_is_or_enlarged_and_repeated() -> None:
    images = np.array([[[0, 100], [0, 100]]], dtype=np.uint8)
    assert np.array_equal(images_to_input(images, (2, 2, 1))[..., 0], images)
    enlarged = images_to_input(images, (2, 4, 3))
    assert enlarged.shape == (1, 2, 4, 3)
    assert enlarged[0, 0].tolist() == [[0] * 3, [25] * 3, [75] * 3, [100] * 3]
