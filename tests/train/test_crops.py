"""Several views of a picture: which they are, what their mean says, and that the plain one is the app's own."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_app.bench import picture_jpeg
from edge_app.classifier import Classifier
from edge_app.contract import InputSpec
from edge_app.images import decode_bytes
from edge_app.labels import LIVE
from train.crops import WARM_UP, Row, Score, ask, image_views, lines, mean_probs, scores, time_ratios, views
from train.data import Split
from train.pictures import PHOTOS, Picture

RANDOM = np.random.default_rng(1)
GREY = RANDOM.integers(0, 256, (20, 20), dtype=np.uint8)
SIDE_17 = InputSpec((17, 17, 1), "grey", "whole")  # 0.85 of 20: crops are not resized


def test_views_are_regions_and_their_mirror_images() -> None:
    seen = views(np.repeat(GREY[..., np.newaxis], 3, axis=-1), SIDE_17, 12)[..., 0]
    assert seen.shape == (12, 17, 17)
    assert np.array_equal(seen[1::2], seen[::2, :, ::-1])
    top_left, top_right, bottom_left, bottom_right = (seen[index] for index in (4, 6, 8, 10))
    assert np.array_equal(top_left, GREY[:17, :17]) and np.array_equal(top_right, GREY[:17, 3:])
    assert np.array_equal(bottom_left, GREY[3:, :17]) and np.array_equal(bottom_right, GREY[3:, 3:])
    assert np.array_equal(image_views(GREY, SIDE_17, 12)[2:, ..., 0], seen[2:])


def test_fewer_views_are_the_first() -> None:
    frame_rgb = RANDOM.integers(0, 256, (30, 20, 3), dtype=np.uint8)
    for count in (1, 2):
        assert np.array_equal(views(frame_rgb, SIDE_17, count), views(frame_rgb, SIDE_17, 12)[:count])


def of(*probs: float) -> list[float]:
    """Logits of a network with eleven classes that gives the first ones these probabilities."""
    rest = (1 - sum(probs)) / (len(LIVE) - len(probs))
    return [float(np.log(p)) for p in (*probs, *[rest] * (len(LIVE) - len(probs)))]


def test_means_of_probabilities_by_hand() -> None:
    logits = np.array([[of(0.6, 0.3), of(0.1, 0.7)]], np.float32)
    assert mean_probs(logits, 1.0, 1)[0, :2] == pytest.approx([0.6, 0.3])
    assert mean_probs(logits, 1.0, 2)[0, :2] == pytest.approx([0.35, 0.5])


def test_what_a_way_wins_and_loses() -> None:
    rows = [Picture(str(index), (LIVE[1],), "", "val") for index in range(4)]
    first, second = of(0.6, 0.3), of(0.1, 0.7)
    plain = [first, second, second, first]
    mirrored = [second, second, second, first]
    crops = [second, first, second, first]
    logits = np.array([[p, m, *[c] * 10] for p, m, c in zip(plain, mirrored, crops, strict=True)], np.float32)
    found = scores(LIVE, rows, logits, 1.0)
    assert found["whole picture"] == Score(0.5, 0, 0)
    assert found["and mirrored"] == Score(0.75, 1, 0)
    assert found["and five crops"] == Score(0.5, 1, 1)


def test_the_table_by_hand() -> None:
    rows = [Row("cnn9", "photos", 1234, {"a": Score(0.5, 0, 0), "b": Score(0.515, 3, 2), "c": Score(0.4, 0, 9)})]
    assert lines(rows, {"a": 1.0, "b": 1.26, "c": 7.04}, timed=110) == [
        ("cnn9", "photos", "1,234", "50.0%", "51.5% (+3 -2)", "40.0% (+0 -9)"),
        ("cnn9", "time of a photo, ratio", str(110 - WARM_UP), "1.0", "1.3", "7.0"),
    ]


def test_more_views_take_longer() -> None:
    ratios = time_ratios(Classifier.load("cnn1"), [decode_bytes(picture_jpeg())] * 40)
    assert ratios["whole picture"] == 1 and ratios["and five crops"] > 2


def right_on_photos(photos: Path, val: Split, turned: bool) -> tuple[float, float]:
    """Share right of the plain way on the validation photos, and what the contract says of them."""
    classifier = Classifier.load("cnn1")
    if turned:
        given = classifier.logits

        def upside_down(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            return given(np.ascontiguousarray(pixels[:, ::-1]))

        classifier.logits = upside_down  # type: ignore[method-assign]
    row = ask(classifier, {PHOTOS: photos}, val)[0]
    assert (row.pictures, row.count) == ("photos", 594)
    return row.scores["whole picture"].right, classifier.contract.accuracy["photos val"]


@pytest.mark.parametrize("turned", [False, True])
def test_the_plain_way_is_what_the_contract_says(data_dir: Path, turned: bool) -> None:
    val = Split(np.zeros((1, 28, 28), np.uint8).repeat(2, axis=0), np.zeros(2, np.uint8))
    found, expected = right_on_photos(data_dir / "photos.zip", val, turned)
    assert (found == pytest.approx(expected, abs=0.005)) is not turned
