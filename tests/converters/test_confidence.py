"""Temperature and threshold on logits worked by hand."""

import numpy as np
import numpy.typing as npt
import pytest

from converters.confidence import (
    cross_validate,
    expected_calibration_error,
    fit_live,
    fit_temperature,
    fit_threshold,
    named_by,
)
from edge_app.decide import probabilities
from edge_app.errors import DataError


def one_hot(classes: list[int]) -> npt.NDArray[np.float32]:
    return np.eye(2, dtype=np.float32)[classes]


def test_temperature_undoes_a_scaling() -> None:
    # Of ten answers with logits (ln 9, 0), i.e. P = 0.9, nine are right: temperature 1. Doubled, it takes 2.
    logits = np.tile(np.array([np.log(9), 0], dtype=np.float32), (10, 1))
    right = one_hot([0] * 9 + [1])
    assert fit_temperature(right, logits) == pytest.approx(1.0, rel=0.011)
    assert fit_temperature(right, logits * 2) == pytest.approx(2.0, rel=0.011)


def test_threshold_is_the_lowest_that_is_right_enough() -> None:
    # P of the named class: 0.9 (20 times, all right), 0.605 (4 times, half of them wrong): 22 of 24 = 92 % is too few.
    p = np.array([0.9] * 20 + [0.605] * 4)
    logits = np.stack([np.log(p / (1 - p)), np.zeros(24)], axis=1).astype(np.float32)
    right = one_hot([0] * 22 + [1] * 2)
    assert fit_threshold(right, logits, 1.0) == 0.61
    assert fit_threshold(one_hot([0] * 24), logits, 1.0) == 0.5
    assert fit_threshold(one_hot([1] * 24), logits, 1.0) == 1.0


def live_logits(named: list[float], none: list[float]) -> npt.NDArray[np.float32]:
    """Logits of three classes, the last of them none, with the first's and none's probabilities given."""
    probs = np.stack([named, 1 - np.array(named) - np.array(none), none], axis=1)
    return np.asarray(np.log(probs), dtype=np.float32)


def test_thresholds_need_pictures_of_nothing() -> None:
    right = np.array([[1, 0, 0]] * 3, np.float32)
    with pytest.raises(DataError, match="the validation photos all show garments"):
        fit_live(right, live_logits([0.7] * 3, [0.1] * 3))


def test_live_thresholds_keep_what_is_right_and_name_no_more_than_a_tenth_of_nothing() -> None:
    # Ten garments at P(first) 0.7, right; five at 0.5, wrong; ten pictures of nothing, one with P(none) of 0.1.
    logits = live_logits([0.7] * 10 + [0.5] * 5 + [0.1] * 9 + [0.85], [0.2] * 15 + [0.8] * 9 + [0.1])
    right = np.eye(3, dtype=np.float32)[[0] * 10 + [1] * 5 + [2] * 10]
    fitted = fit_live(right, logits)
    probs = probabilities(logits, fitted.temperature)
    assert fitted.none_threshold is not None
    named = named_by(probs, fitted.threshold, fitted.none_threshold)
    assert named.tolist() == [True] * 10 + [False] * 14 + [True]


def named_of(groups: list[tuple[int, float, float, int]]) -> list[bool]:
    """Which of some groups of pictures fitted thresholds name; each is their number, P(first), P(none) and class."""
    counts = [count for count, *_ in groups]
    logits = np.repeat(live_logits([named for _, named, _, _ in groups], [none for _, _, none, _ in groups]), counts, 0)
    right = np.repeat(np.eye(3, dtype=np.float32)[[kind for *_, kind in groups]], counts, axis=0)
    fitted = fit_live(right, logits)
    assert fitted.none_threshold is not None
    named = named_by(probabilities(logits, fitted.temperature), fitted.threshold, fitted.none_threshold)
    found: list[bool] = named[np.cumsum(counts) - 1].tolist()
    return found


def test_right_names_are_given_up_where_too_much_of_nothing_would_be_named() -> None:
    # To name the two garments with P(none) of 0.6 is to name four of the ten pictures of nothing.
    garments = [(8, 0.9, 0.05, 0), (2, 0.35, 0.6, 0)]
    assert named_of([*garments, (1, 0.8, 0.1, 2), (3, 0.4, 0.5, 2), (6, 0.05, 0.9, 2)]) == [True] + [False] * 4
    assert named_of([*garments, (10, 0.05, 0.9, 2)]) == [True, True, False]


def test_a_few_more_wrong_names_are_borne_for_right_ones() -> None:
    # Right less wrong: 60, with those at 0.6 also 63 - 4 = 59, which is as good; with those at 0.5 also 65 - 12 = 53.
    sure, fair, poor = (60, 0.9, 0.05), [(3, 0.6, 0.05, 0), (4, 0.6, 0.05, 1)], [(2, 0.5, 0.05, 0), (8, 0.5, 0.05, 1)]
    assert named_of([(*sure, 0), *fair, *poor, (10, 0.05, 0.9, 2)]) == [True, True, True, False, False, False]
    # With one more wrong it is 58, less than 98 % of 60.
    fair[1] = (5, 0.6, 0.05, 1)
    assert named_of([(*sure, 0), *fair, *poor, (10, 0.05, 0.9, 2)]) == [True, False, False, False, False, False]


def test_cross_validation_judges_people_it_was_not_fitted_on() -> None:
    """Five people, so each is looked at by what was fitted on the four others."""
    everybody = [(10, 0.9, 0.05, 0), (8, 0.05, 0.9, 2)]
    groups = {
        "a": everybody,
        "b": everybody,
        "c": [(10, 0.9, 0.05, 0), (6, 0.05, 0.9, 2), (2, 0.9, 0.02, 2)],  # of 40 pictures of nothing 2 get a name
        "d": [*everybody, (10, 0.06, 0.9, 0)],  # right, but no threshold may name these
        "e": [*everybody, (10, 0.6, 0.05, 1)],  # only those who have seen them know that they are not to be named
    }
    rows = [(person, *group) for person, own in groups.items() for group in own]
    counts = [count for _, count, *_ in rows]
    logits = np.repeat(live_logits([row[2] for row in rows], [row[3] for row in rows]), counts, axis=0)
    right = np.repeat(np.eye(3, dtype=np.float32)[[row[4] for row in rows]], counts, axis=0)
    people = [row[0] for row in rows for _ in range(row[1])]
    found = cross_validate(right, logits, people, seed=1)
    assert found.named_nothing == pytest.approx(2 / 40)
    assert found.kept == pytest.approx(50 / 60)
    assert found.wrong == pytest.approx((2 + 10) / (50 + 2 + 10))
    # Were each row of another person, then some of e's would be known when it is fitted, and fewer named.
    anybody = [str(number) for number in range(len(people))]
    assert cross_validate(right, logits, anybody, seed=1).wrong < found.wrong


@pytest.mark.parametrize("whose", [["a", "a", "a", "a"], ["a", "a", "b", "b"]])
def test_cross_validation_needs_nothing_of_several_people(whose: list[str]) -> None:
    """Of one person altogether, or as if of one where it counts: without b's pictures of nothing none are left."""
    logits = live_logits([0.9, 0.9, 0.05, 0.05], [0.05, 0.05, 0.9, 0.9])
    right = np.eye(3, dtype=np.float32)[[0, 0, 2, 2]]
    with pytest.raises(DataError, match="without a garment are of too few people"):
        cross_validate(right, logits, whose, seed=1)


def test_expected_calibration_error() -> None:
    # Two bins: 0.9 right every second time (gap 0.4, a half of all), 0.5 right every second time (gap 0).
    confidence = np.array([0.9, 0.9, 0.5, 0.5], np.float32)
    assert expected_calibration_error(confidence, np.array([True, False, True, False])) == pytest.approx(0.2)
    assert expected_calibration_error(np.ones(3, np.float32), np.array([True] * 3)) == 0
