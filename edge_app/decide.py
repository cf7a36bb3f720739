"""From logits to an answer: pure functions."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge_app.contract import Contract
from edge_app.labels import NONE

Float32 = npt.NDArray[np.float32]

UNSURE = "unsure"
SMOOTHING_S = 0.2
FAVOUR = 0.15  # added to the held label's probability: it is easier to stay than to come
HOLD_S = 0.4  # how long, at least, a held label outlives its support when no other garment is named
LATE_S = 0.8  # a frame so long after the last is on its own; at rest they are 0.5 s apart, and a camera's frame or so


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


@dataclass(frozen=True)
class Memory:
    """What a live answer remembers of the frames before.

    ``probs`` are smoothed probabilities float32 (classes,), ``label`` is the one shown and ``supported_s`` when a
    frame last bore it out; ``found`` is the label of the last frame, taken at ``captured_s``. Times in seconds.
    """

    probs: Float32
    label: str
    supported_s: float
    found: str
    captured_s: float


def steady(memory: Memory | None, probs: Float32, captured_s: float, contract: Contract) -> tuple[Memory, Decision]:
    """One frame's probabilities float32 (classes,), captured at `captured_s` -> what to remember, and the Decision.

    The probabilities are smoothed over time. A label that is shown is favoured by FAVOUR and outlives its support by
    HOLD_S, and by one frame, so that noise does not change it; another garment takes its place at once when two frames
    running name it. Of a frame that comes LATE_S or more after the one before one is enough.
    """
    if memory is None:
        decision = decide(probs, contract)
        return Memory(probs, decision.label, captured_s, decision.label, captured_s), decision
    smoothed = smooth(memory.probs, probs, captured_s - memory.captured_s)
    found = decide(_favouring(memory.label, smoothed, contract), contract).label
    label, supported_s = memory.label, memory.supported_s
    is_name = found not in (NONE, UNSURE)
    is_late = captured_s - memory.captured_s >= LATE_S
    if found == label or (is_name and (is_late or found == memory.found)):
        label, supported_s = found, captured_s
    elif label == UNSURE or (captured_s - supported_s >= HOLD_S and (is_late or memory.found != label)):
        label, supported_s = UNSURE if is_name else found, captured_s
    decision = replace(decide(smoothed, contract), label=label)
    return Memory(smoothed, label, supported_s, found, captured_s), decision


def _favouring(label: str, probs: Float32, contract: Contract) -> Float32:
    favour = FAVOUR
    if label == NONE and contract.none_threshold is not None:
        favour = min(favour, contract.none_threshold / 2)  # where P(none) is small, a garment must end it
    return probs + np.array([favour if name == label else 0.0 for name in contract.labels], dtype=np.float32)
