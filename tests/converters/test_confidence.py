"""Temperature and threshold on logits worked by hand."""

import numpy as np
import pytest

from converters.confidence import fit_temperature, fit_threshold


def test_temperature_undoes_a_scaling() -> None:
    # Of ten answers with logits (ln 9, 0), i.e. P = 0.9, nine are right: temperature 1. Doubled, it takes 2.
    logits = np.tile(np.array([np.log(9), 0], dtype=np.float32), (10, 1))
    truth = np.array([0] * 9 + [1])
    assert fit_temperature(truth, logits) == pytest.approx(1.0, rel=0.011)
    assert fit_temperature(truth, logits * 2) == pytest.approx(2.0, rel=0.011)


def test_threshold_is_the_lowest_that_is_right_enough() -> None:
    # P of the named class: 0.9 (20 times, all right), 0.605 (4 times, half of them wrong): 22 of 24 = 92 % is too few.
    p = np.array([0.9] * 20 + [0.605] * 4)
    logits = np.stack([np.log(p / (1 - p)), np.zeros(24)], axis=1).astype(np.float32)
    truth = np.array([0] * 22 + [1] * 2)
    assert fit_threshold(truth, logits, 1.0) == 0.61
    assert fit_threshold(np.zeros(24, dtype=np.int64), logits, 1.0) == 0.0
    assert fit_threshold(np.ones(24, dtype=np.int64), logits, 1.0) == 1.0
