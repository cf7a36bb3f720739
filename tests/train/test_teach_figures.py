"""How well names are taught: people who teach are not judged, and the figures are reached."""

from pathlib import Path

import numpy as np
import pytest

from edge_app.classifier import Classifier
from edge_app.errors import DataError
from edge_app.models import contracts
from edge_app.points import read_points
from train.pictures import Picture
from train.teach_figures import LESSONS, Figures, draw, look, main, mean, teachers


def rows(people: int) -> list[Picture]:
    """Two photos of a hat of each person, and one of shorts."""
    hats = [Picture(f"h{n}-{i}", ("Hat",), f"p{n}", "val") for n in range(people) for i in range(2)]
    return [*hats, Picture("s", ("Shorts",), "p0", "val"), Picture("t", ("Hat",), "q", "train")]


def test_teachers_are_ten_people_with_one_photo_each() -> None:
    shown = rows(14)
    found = [shown[index] for index in teachers(shown, "Hat", "val", np.random.default_rng(0))]
    assert len(found) == len({picture.person for picture in found}) == LESSONS
    assert {(picture.classes, picture.split) for picture in found} == {(("Hat",), "val")}
    with pytest.raises(DataError, match="photos of Hat, split val: of 9 people, 10 are needed"):
        teachers(rows(9), "Hat", "val", np.random.default_rng(0))


def test_figures_are_averaged_one_by_one() -> None:
    first, second = Figures(0, 0.5, 0, 1, 1, 0, 0), Figures(1, 0.5, 0, 0, 1, 0, 0.5)
    assert mean([first, second]) == Figures(0.5, 0.5, 0, 0.5, 1, 0, 0.25)


@pytest.mark.parametrize("split", ["train", "val"])
def test_names_are_learned_and_the_old_classes_kept(data_dir: Path, split: str) -> None:
    """Of shorts and hats at least 60 % are named, and of the ten classes at most 2 points lost."""
    live = [contract for contract in contracts() if contract.variant == "live" and contract.architecture == "cnn4"]
    if not live:
        pytest.skip("cnn4 is not installed")
    classifier = Classifier.load(live[0].name)
    seen, points = look(classifier, str(data_dir)), read_points(live[0])
    found = mean([draw(seen, points, live[0], split, seed) for seed in range(5)])
    assert found.named >= 0.6
    assert found.before - found.after <= 0.02


def test_a_model_without_none_is_refused() -> None:
    with pytest.raises(DataError, match="does not know none"):
        main(["--model", "cnn1-fashion-mnist"])


def test_photos_that_a_model_may_know_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos.zip").write_bytes(b"other photos")
    with pytest.raises(DataError, match="not a zip archive"):
        main(["--model", "cnn4", "--data", str(tmp_path)])
    assert capsys.readouterr().err.startswith("cnn4 has learned from other photos than these")
