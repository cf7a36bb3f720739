"""From logits to an answer: pure functions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_app.contract import Contract
from edge_app.labels import NONE

Float32 = npt.NDArray[np.float32]

UNSURE = "unsure"
SMOOTHING_S = 0.2


@dataclass(frozen=True)
class Decision:
    """One answer.

    ``label`` is a class, ``none`` (no garment that can be named) or ``unsure``. ``confidence`` is the probability
    (0..1) of the likeliest of the ten classes, ``none`` that of no garment, null for a model without that class.
    ``probs`` gives every label of the model its probability.
    """

    label: str
    confidence: float
    probs: dict[str, float]
    none: float | None


def probabilities(logits: Float32, temperature: float) -> Float32:
    """softmax(logits / temperature) over the last axis; float32, same shape (Guo et al. 2017, arXiv 1706.04599)."""
    scaled = logits.astype(np.float32) / np.float32(temperature)
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float32)


def decide(probs: Float32, contract: Contract) -> Decision:
    """Probabilities float32 (classes,) -> Decision, by the contract's two thresholds.

    ``none`` where P(none) reaches ``none_threshold``; else the likeliest of the ten where its P reaches
    ``threshold``; else ``unsure``.
    """
    by_label = {label: float(p) for label, p in zip(contract.labels, probs, strict=True)}
    none = by_label.get(NONE)
    best, confidence = max(((label, p) for label, p in by_label.items() if label != NONE), key=lambda pair: pair[1])
    if none is not None and contract.none_threshold is not None and none >= contract.none_threshold:
        label = NONE
    else:
        label = best if confidence >= contract.threshold else UNSURE
    return Decision(label, confidence, by_label, none)


def smooth(previous: Float32 | None, probs: Float32, elapsed_s: float) -> Float32:
    """Exponential smoothing of probabilities over time, with a time constant of 0.2 s.

    The weight of the new frame is 1 - exp(-elapsed / constant), so the result does not depend on the frame rate.
    """
    if previous is None:
        return probs
    weight = np.float32(1 - np.exp(-max(elapsed_s, 0.0) / SMOOTHING_S))
    return np.asarray(previous + weight * (probs - previous), dtype=np.float32)
