"""Loss and accuracy where several classes may be right, by hand."""

import keras
import numpy as np
import pytest

from train.losses import accuracy, cross_entropy

P = np.array([[0.5, 0.25, 0.125, 0.125]], np.float32)
LOGITS = np.log(P) + 3


def test_any_of_several_right_classes_will_do() -> None:
    right = np.array([[0, 1, 1, 1]], np.float32)
    assert np.asarray(cross_entropy(0.0)(right, LOGITS)) == pytest.approx([np.log(2)], rel=1e-5)
    mean_log = (np.log(2) + 2 * np.log(2) + 3 * np.log(2) * 2) / 4
    expected = 0.9 * np.log(2) + 0.1 * mean_log
    assert np.asarray(cross_entropy(0.1)(right, LOGITS)) == pytest.approx([expected], rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.05])
def test_of_one_right_class_it_is_keras_own(smoothing: float) -> None:
    random = np.random.default_rng(1)
    logits, right = random.normal(size=(5, 11)).astype(np.float32), np.eye(11, dtype=np.float32)[[3, 0, 10, 7, 7]]
    own = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    assert float(np.mean(cross_entropy(smoothing)(right, logits))) == pytest.approx(float(own(right, logits)), rel=1e-5)


def test_accuracy_counts_any_right_class() -> None:
    right = np.array([[1, 0, 0, 0], [0, 1, 1, 0]], np.float32)
    assert np.asarray(accuracy(right, np.tile(LOGITS, (2, 1)))).tolist() == [1, 0]
    assert np.asarray(accuracy(right, np.array([[0, 9, 0, 0], [0, 0, 9, 0]], np.float32))).tolist() == [0, 1]
