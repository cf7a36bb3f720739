"""A model's temperature and threshold, fitted on validation logits; pure numpy."""

import numpy as np
import numpy.typing as npt

from edge_app.decide import probabilities
from train.metrics import cross_entropy

Float32 = npt.NDArray[np.float32]

RIGHT_WHEN_NAMED = 0.95


def fit_temperature(truth: npt.NDArray[np.integer], logits: Float32) -> float:
    """The temperature, of 0.25 to 4 in steps of 1 %, that makes the truth likeliest (arXiv 1706.04599, section 4.2).

    ``truth`` (N,) class indices, ``logits`` float32 (N, classes).
    """
    candidates = np.exp(np.arange(np.log(0.25), np.log(4), 0.01))
    losses = [cross_entropy(truth, logits / temperature) for temperature in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def fit_threshold(truth: npt.NDArray[np.integer], logits: Float32, temperature: float) -> float:
    """The lowest threshold (steps of 0.01) at which 95 % of the answers that are given are right."""
    probs = probabilities(logits, temperature)
    confidence, right = probs.max(axis=-1), probs.argmax(axis=-1) == truth
    for threshold in np.arange(0, 1, 0.01):
        named = confidence >= threshold
        if named.any() and right[named].mean() >= RIGHT_WHEN_NAMED:
            return round(float(threshold), 2)
    return 1.0
