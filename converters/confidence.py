"""A model's temperature and thresholds, fitted on validation logits; pure numpy.

``right`` is float32 (N, classes) throughout, 1 for every class that is right for a row; a live model's last is none.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_app.decide import probabilities
from edge_app.errors import DataError

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

RIGHT_WHEN_NAMED = 0.95
NOTHING_NAMED = 0.1
ABOUT_AS_GOOD = 0.02
FOLDS = 5
BINS = 15


@dataclass(frozen=True)
class Fitted:
    """What a contract keeps; ``none_threshold`` is None for a model without that class."""

    temperature: float
    threshold: float
    none_threshold: float | None


@dataclass(frozen=True)
class Confidence:
    """How good fitted thresholds are on people they were not fitted on; shares are 0..1.

    ``named_nothing``: of pictures without a garment, those that get a garment's name. ``kept``: of garments whose
    likeliest name of the ten is right, those that get it. ``wrong``: of names given, those that are wrong.
    ``calibration_error``: expected calibration error.
    """

    named_nothing: float
    kept: float
    wrong: float
    calibration_error: float


def fit_temperature(right: Float32, logits: Float32) -> float:
    """The temperature, of 0.25 to 4 in steps of 1 %, that makes what is right likeliest.

    Guo et al. 2017, arXiv 1706.04599, section 4.2; logits are float32 (N, classes).
    """
    candidates = np.exp(np.arange(np.log(0.25), np.log(4), 0.01))
    losses = [-np.log((probabilities(logits, t) * right).sum(axis=-1) + 1e-12).mean() for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def fit_threshold(right: Float32, logits: Float32, temperature: float) -> float:
    """The lowest threshold (steps of 0.01) at which 95 % of the answers that are given are right; at least 0.5, for
    what is likelier wrong than right is no answer."""
    probs = probabilities(logits, temperature)
    confidence, is_right = probs.max(axis=-1), _is_right(right, probs)
    for threshold in np.arange(0.5, 1, 0.01):
        named = confidence >= threshold
        if named.any() and is_right[named].mean() >= RIGHT_WHEN_NAMED:
            return round(float(threshold), 2)
    return 1.0


def fit_fashion(right: Float32, logits: Float32) -> Fitted:
    """For a model that knows garments only."""
    temperature = fit_temperature(right, logits)
    return Fitted(temperature, fit_threshold(right, logits, temperature), None)


def fit_live(right: Float32, logits: Float32) -> Fitted:
    """The thresholds (steps of 0.02) with most right names, of those about as good as the best.

    The best have most right names less wrong ones. Which does is chance, so all that are within ABOUT_AS_GOOD of it
    are as good. Of pictures without a garment they name at most a tenth, or as few as can be. Raises DataError if there
    is no such picture.
    """
    temperature = fit_temperature(right, logits)
    probs = probabilities(logits, temperature)
    is_nothing, is_right = right[:, -1] > 0, _is_right(right[:, :-1], probs[:, :-1])
    if not is_nothing.any():
        raise DataError(
            "the validation photos all show garments: when to say nothing cannot be fitted. Give some rows of Hat, "
            "Shorts, Skirt, Body or none, of several people, the split val."
        )
    tried = []
    for none_threshold in np.arange(0.02, 1, 0.02):
        for threshold in np.arange(0, 1, 0.02):
            named = named_by(probs, threshold, none_threshold)
            too_many = max(float(named[is_nothing].mean()) - NOTHING_NAMED, 0.0)
            named_rightly = int((named & is_right).sum())
            score = named_rightly - int((named & ~is_right & ~is_nothing).sum())
            tried.append(
                (too_many, score, named_rightly, Fitted(temperature, _round(threshold), _round(none_threshold)))
            )
    fewest = min(too_many for too_many, *_ in tried)
    allowed = [each for each in tried if each[0] == fewest]
    best = max(score for _, score, *_ in allowed)
    good = [each for each in allowed if each[1] >= best - ABOUT_AS_GOOD * abs(best)]
    return max(good, key=lambda each: each[2])[-1]


def named_by(probs: Float32, threshold: float, none_threshold: float) -> Bool:
    """Which rows of probabilities (N, 11) are given a garment's name; edge_app.decide, for many."""
    return np.asarray((probs[:, -1] < none_threshold) & (probs[:, :-1].max(axis=-1) >= threshold))


def cross_validate(right: Float32, logits: Float32, people: list[str], seed: int) -> Confidence:
    """Fits on four fifths of the people and looks at the others, five times; ``people`` says whose each row is.

    Raises DataError if some four fifths have no picture without a garment."""
    names = np.random.default_rng(seed).permutation(sorted(set(people)))
    fold_of = {name: index % FOLDS for index, name in enumerate(names)}
    folds = np.array([fold_of[name] for name in people])
    if len(np.unique(folds[right[:, -1] > 0])) < 2:
        raise DataError(
            "the validation photos without a garment are of too few people: thresholds are tried on people that they "
            "were not fitted on. Give rows of Hat, Shorts, Skirt, Body or none, of several people, the split val."
        )
    named, probs = np.zeros(len(right), dtype=bool), np.zeros_like(logits)
    for fold in range(FOLDS):
        held_out = folds == fold
        fitted = fit_live(right[~held_out], logits[~held_out])
        assert fitted.none_threshold is not None
        probs[held_out] = probabilities(logits[held_out], fitted.temperature)
        named[held_out] = named_by(probs[held_out], fitted.threshold, fitted.none_threshold)
    is_nothing, is_right = right[:, -1] > 0, _is_right(right[:, :-1], probs[:, :-1])
    return Confidence(
        named_nothing=float(named[is_nothing].mean()),
        kept=float(named[is_right].mean()),
        wrong=float((~is_right)[named].mean()),
        calibration_error=expected_calibration_error(probs.max(axis=-1), _is_right(right, probs)),
    )


def expected_calibration_error(confidence: Float32, is_right: Bool) -> float:
    """Mean distance of confidence (N,) and accuracy over 15 bins of equal width, weighted by their numbers.

    Guo et al. 2017, arXiv 1706.04599, equation 3.
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - is_right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)
    ]
    return float(sum(gaps))


def _is_right(right: Float32, probs: Float32) -> Bool:
    return np.asarray(np.take_along_axis(right, probs.argmax(axis=-1)[:, np.newaxis], axis=-1)[:, 0] > 0)


def _round(value: float) -> float:
    return round(float(value), 2)
