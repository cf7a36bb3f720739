"""Which parts mattered: exact falls by hand, and the drawn garments, whose white around them does not matter."""

import base64

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from sent import sent_drawing

from edge_app.models import default_model
from edge_app.occlusion import GRID, SHOWN_PX, highlighted, occlusion_map, places
from edge_app.page.frames import Desk
from edge_app.pipeline import Classifiers

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]


def test_the_cover_reaches_every_pixel() -> None:
    covered = np.zeros((28, 28), dtype=int)
    for place in places(28):
        assert covered[place].shape == (7, 7)
        covered[place] += 1
    assert len(places(28)) == GRID * GRID
    assert covered.min() >= 1


def test_the_probability_falls_where_what_it_rests_on_is_covered() -> None:
    """By hand: the probability is that of the pixel (2, 25) over 255; the cover has the mean, 0."""
    pixels = np.zeros((28, 28, 1), dtype=np.uint8)
    pixels[2, 25] = 204

    def probability(pictures: UInt8) -> Float32:
        return np.asarray(pictures[:, 2, 25, 0] / 255, dtype=np.float32)

    falls = occlusion_map(probability, pixels)
    expected = np.zeros((GRID, GRID))
    expected[0, 7] = 0.8  # rows and columns 0 to 6, and 21 to 27
    assert falls == pytest.approx(expected)


def test_the_warmest_part_is_the_one_that_costs_most() -> None:
    falls = np.zeros((GRID, GRID), dtype=np.float32)
    falls[0, 7], falls[7, 0] = 0.5, -0.9  # covering the lower left helps: it stays as it is
    shown = highlighted(np.full((28, 28, 1), 100, dtype=np.uint8), falls)
    assert shown.shape == (SHOWN_PX, SHOWN_PX, 3)
    assert shown[2, -3].tolist() == [216, 97, 25]  # a quarter of 100, three quarters of (255, 96, 0)
    assert shown[-3, 2].tolist() == [100, 100, 100]


def test_warmth_lies_where_the_cover_was() -> None:
    """By hand: the middles of covers 5 and 2 of 0..7 are at 1/8 + 5/7 and 2/7 of 3/4 of the side."""
    falls = np.zeros((GRID, GRID), dtype=np.float32)
    falls[5, 2] = 1
    warmth = highlighted(np.zeros((28, 28, 1), dtype=np.uint8), falls)[..., 0].astype(float)
    rows, columns = np.indices(warmth.shape) + 0.5
    middle = [(axis * warmth).sum() / warmth.sum() / SHOWN_PX for axis in (rows, columns)]
    assert middle == pytest.approx([1 / 8 + 3 / 4 * 5 / 7, 1 / 8 + 3 / 4 * 2 / 7], abs=0.005)


def test_nothing_that_matters_leaves_the_picture_as_it_is() -> None:
    pixels = np.full((28, 28, 3), 100, dtype=np.uint8)
    assert (highlighted(pixels, np.zeros((GRID, GRID), np.float32)) == 100).all()


def test_of_a_drawing_the_garment_matters_not_the_white_around_it() -> None:
    model = default_model()
    message = {"visitor": "a", "model": model, "jpeg": sent_drawing("trouser"), "still": True}
    desk = Desk([model], Classifiers(), watch=None)
    assert "parts" not in desk.classify_frame(message)
    png = base64.b64decode(str(desk.classify_frame({**message, "show_parts": True})["parts"]))
    shown_bgr = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert shown_bgr is not None and shown_bgr.shape == (SHOWN_PX, SHOWN_PX, 3)
    warmth = shown_bgr[..., 2].astype(int) - shown_bgr[..., 0]  # red over blue
    middle = warmth[:, SHOWN_PX // 4 : -SHOWN_PX // 4]
    assert middle.mean() > 2 * warmth[:, : SHOWN_PX // 8].mean()
    assert warmth.max() > 100
