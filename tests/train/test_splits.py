"""What a network learns from and what its epoch is chosen by are never the same pictures, and neither is for tests.

Every split has a grey value of its own, by which it is known wherever it turns up.
"""

from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
import pytest

from train import run
from train.data import FashionMnist, Split
from train.fit import Examples, Phase
from train.fit import views as first_views
from train.live import judge_live, load_lessons
from train.models import build
from train.paths import Paths
from train.recipes import Config, Recipe, article, best, live
from train.state import Row

TRAIN, VAL, TEST = 60, 120, 240  # of Fashion-MNIST's garments here, on black
PHOTOS = {"train": 210, "val": 225}
PRODUCTS = {"train": 218, "val": 235}


def split_of(value: int, count: int) -> Split:
    """Ten classes in turn, each image a square of one grey value."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 7:21, 7:21] = value
    return Split(images, np.arange(count, dtype=np.uint8) % 10)


DATA = FashionMnist(split_of(TRAIN, 40), split_of(VAL, 30), split_of(TEST, 20), {})


def values(pictures: npt.NDArray[Any]) -> set[int]:
    """The brightest value of each picture (N, H, W) or (N, H, W, C), of its first channel."""
    first = pictures if pictures.ndim == 3 else pictures[..., 0]
    return set(np.rint(first.max(axis=(1, 2))).astype(int).tolist())


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Two photos and three products to train on, one and two to validate with."""
    tables = {
        "photos": ("image,label,sender_id,split", "Dress,7", {"train": 2, "val": 1}, PHOTOS),
        "products": ("image,article_type,split", "Dresses", {"train": 3, "val": 2}, PRODUCTS),
    }
    for name, (header, row, counts, greys) in tables.items():
        (tmp_path / name / "images").mkdir(parents=True)
        rows = [header]
        for split, count in counts.items():
            for number in range(count):
                label = row.replace("7", "8") if split == "val" else row
                rows.append(f"{split}{number},{label},{split}")
                picture = np.full((9, 9, 3), greys[split], np.uint8)
                assert cv2.imwrite(str(tmp_path / name / "images" / f"{split}{number}.png"), picture)
        (tmp_path / name / f"{name}.csv").write_text("\n".join(rows))
    return Paths((tmp_path / "photos",), (tmp_path / "products",))


@pytest.mark.parametrize("recipe", [article("cnn1"), best("cnn1", on_gpu=False)])
def test_fashion_mnist(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[list[Phase], Examples]] = []

    def fit(network: keras.Model, config: Config, phases: list[Phase], val: Examples, *_: Any, **__: Any) -> list[Row]:
        given.append((phases, val))
        return []

    monkeypatch.setattr(run, "fit", fit)
    trained = run.train_cnn(Config("cnn1", recipe, 1, 28, {}), DATA, tmp_path, ())
    ((phases, val),) = given
    learned = [first_views(phase) for phase in phases if phase.augment is None]
    assert learned and all(values(pictures) == {TRAIN} and len(pictures) == 40 for pictures in learned)
    assert values(val.inputs) == {VAL} and len(val.inputs) == 30
    assert trained.views is not None and values(trained.views()) == {TRAIN}


def test_the_mixture_of_live(paths: Paths) -> None:
    lessons = load_lessons(Config("cnn1", live("cnn1", on_gpu=False), 1, 28, {}), DATA, paths)
    fashion, pasted, photos, products, nothing = (part.pictures for part in lessons.parts)
    assert values(fashion) == {TRAIN} and len(fashion) == 40
    assert values(pasted[:40]) == {TRAIN} and set(pasted[40:, 14, 14, 0].tolist()) == {255 - TRAIN}  # half are negated
    assert values(photos) == {PHOTOS["train"]} and len(photos) == 2
    assert values(products) == {PRODUCTS["train"]} and len(products) == 6
    assert values(lessons.backgrounds) == {PHOTOS["train"]}
    assert values(nothing[: len(lessons.backgrounds)]) == {PHOTOS["train"]}
    inputs = lessons.val.inputs
    assert len(inputs) == 30 + 1 + 2
    assert values(inputs[:30]) == {VAL}
    assert values(inputs[30:31]) == {PHOTOS["val"]} and values(inputs[31:]) == {PRODUCTS["val"]}


def test_pictures_of_live_are_judged_on_their_validation_split(paths: Paths) -> None:
    found = judge_live(build("cnn1", live=True), paths, seed=1)
    assert {name: judged["counts"]["Dress"] for name, judged in found.items()} == {"photos": 1, "products": 2}
