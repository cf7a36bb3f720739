"""Figures of pictures with several right names, by hand."""

import numpy as np
import pytest

from edge_app.labels import FASHION, LIVE
from train.judge import judge
from train.metrics import auroc
from train.pictures import SHOES, Picture

ROWS = [
    Picture("a", ("Trouser",), "1", "val"),
    Picture("b", ("Trouser",), "1", "val"),
    Picture("c", SHOES, "1", "val"),
    Picture("d", ("none",), "2", "val"),
    Picture("e", ("none",), "2", "val"),
]


def logits(*names: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.eye(len(LIVE), dtype=np.float32)[[LIVE.index(name) for name in names]]


def test_shares_of_right_answers() -> None:
    weights = np.array([[1], [0.5], [1], [1], [0.25]], np.float32)
    found = judge(LIVE, ROWS, logits("Trouser", "none", "Sneaker", "none", "none") * weights)
    assert found.right == pytest.approx(2 / 3)
    assert found.classes == {"Sandal or Sneaker or Ankle boot": 1.0, "Trouser": 0.5}
    assert found.counts == {"Sandal or Sneaker or Ankle boot": 1, "Trouser": 2}
    assert found.balanced == 0.75
    # P(none) of d is above those of a, b and c; that of e above those of a and c alone.
    assert found.auroc == pytest.approx(5 / 6)


def test_a_model_without_none_has_no_auroc() -> None:
    found = judge(FASHION, ROWS, logits("Trouser", "Bag", "Bag", "Bag", "Bag")[:, :10])
    assert found.right == pytest.approx(1 / 3) and found.auroc is None
    assert judge(LIVE, ROWS[:2], logits("Trouser", "Trouser")).auroc is None


def test_auroc_counts_ties_half() -> None:
    positive = np.array([True, True, False, False])
    assert auroc(np.array([3.0, 2.0, 1.0, 0.0]), positive) == 1.0
    assert auroc(np.array([0.0, 1.0, 2.0, 3.0]), positive) == 0.0
    assert auroc(np.array([1.0, 1.0, 1.0, 1.0]), positive) == 0.5
    assert auroc(np.array([2.0, 0.0, 1.0, 0.0]), positive) == pytest.approx(2.5 / 4)
