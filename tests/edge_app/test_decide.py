"""Decisions from probabilities worked by hand."""

import dataclasses
import math

import numpy as np
import pytest
from test_contract import CONTRACT

from edge_app.decide import decide, probabilities, smooth
from edge_app.labels import LIVE

LIVE_CONTRACT = dataclasses.replace(CONTRACT, variant="live", labels=LIVE, none_threshold=0.5)


def probs(**shares: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    names = {"trouser": 1, "bag": 8, "none": 10}
    array = np.zeros(11 if "none" in shares else 10, dtype=np.float32)
    for name, share in shares.items():
        array[names[name]] = share
    return array


def test_probabilities() -> None:
    logits = np.array([[math.log(8), 0.0]], dtype=np.float32)
    assert probabilities(logits, 1.0).tolist() == [pytest.approx([8 / 9, 1 / 9])]
    # exp(ln 8 / 3) = 2
    assert probabilities(logits, 3.0).tolist() == [pytest.approx([2 / 3, 1 / 3])]
    assert probabilities(np.array([1e4, 0], dtype=np.float32), 1.0).tolist() == [1, 0]


def test_named_when_likely_enough() -> None:
    decision = decide(probs(trouser=0.5, bag=0.25), CONTRACT)
    assert (decision.label, decision.confidence, decision.none) == ("Trouser", 0.5, None)
    assert decision.probs["Bag"] == 0.25
    assert len(decision.probs) == 10


def test_unsure_below_the_threshold() -> None:
    decision = decide(probs(trouser=0.4375, bag=0.25), CONTRACT)
    assert (decision.label, decision.confidence) == ("unsure", 0.4375)


def test_none_comes_first() -> None:
    decision = decide(probs(bag=0.5, none=0.5), LIVE_CONTRACT)
    assert (decision.label, decision.confidence, decision.none) == ("none", 0.5, 0.5)
    assert decide(probs(bag=0.5, none=0.25), LIVE_CONTRACT).label == "Bag"
    # P(none) is largest and yet below its threshold: not named either
    assert decide(probs(bag=0.3, none=0.4), LIVE_CONTRACT).label == "unsure"


def test_smoothing() -> None:
    old, new = np.array([1, 0], dtype=np.float32), np.array([0, 1], dtype=np.float32)
    assert smooth(None, new, 0.1).tolist() == [0, 1]
    assert smooth(old, new, 0.0).tolist() == [1, 0]
    # after 0.2 s ln 2 the old has half of the weight
    assert smooth(old, new, 0.2 * math.log(2)).tolist() == pytest.approx([0.5, 0.5])
    # two steps are one of their length
    half = 0.1 * math.log(2)
    assert smooth(smooth(old, new, half), new, half).tolist() == pytest.approx([0.5, 0.5])
