"""Metrics against values worked by hand."""

import math

import numpy as np
import pytest

from train.metrics import accuracy, class_reports, confusion, cross_entropy

TRUTH = np.array([0, 0, 1, 1, 2])
LOGITS = np.array([[2, 1, 0], [0, 1, 0], [0, 3, 0], [0, 3, 0], [9, 0, 0]], dtype=np.float32)


def test_accuracy() -> None:
    assert accuracy(TRUTH, LOGITS) == 3 / 5


def test_confusion() -> None:
    matrix = confusion(TRUTH, LOGITS.argmax(axis=1), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_class_reports() -> None:
    first, second, third = class_reports(np.array([[1, 1, 0], [0, 2, 0], [1, 0, 0]]), ("a", "b", "c"))
    assert (first.precision, first.recall, first.f1, first.count) == (0.5, 0.5, 0.5, 2)
    assert (second.precision, second.recall, second.f1, second.count) == (2 / 3, 1.0, 0.8, 2)
    assert (third.precision, third.recall, third.f1, third.count) == (0.0, 0.0, 0.0, 1)


def test_cross_entropy() -> None:
    # softmax([ln 3, 0]) = [3/4, 1/4]
    logits = np.array([[math.log(3), 0], [math.log(3), 0]], dtype=np.float32)
    assert cross_entropy(np.array([0, 1]), logits) == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)
