"""Decisions from probabilities worked by hand."""

import dataclasses
import math

import numpy as np
import pytest
from test_contract import CONTRACT

from edge_app.contract import Contract
from edge_app.decide import Memory, decide, probabilities, smooth, steady
from edge_app.labels import LIVE
from edge_app.models import contracts
from edge_app.pace import REST_INTERVAL_S

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


def steady_label(memory: Memory, now_s: float, contract: Contract = CONTRACT) -> str:
    """The label after one more frame like those before: smoothing changes nothing."""
    return steady(memory, memory.probs, now_s, contract)[1].label


def test_the_first_frame_is_named_at_once() -> None:
    memory, decision = steady(None, probs(trouser=0.5, bag=0.25), 7.0, CONTRACT)
    assert decision == decide(probs(trouser=0.5, bag=0.25), CONTRACT)
    assert (memory.label, memory.supported_s, memory.found, memory.captured_s) == ("Trouser", 7.0, "Trouser", 7.0)


def test_a_held_name_needs_less_than_a_new_one() -> None:
    # 0.375 + 0.15 reaches the threshold of 0.5; 0.25 + 0.15 does not
    for share, label in ((0.375, "Trouser"), (0.25, "unsure")):
        shares = probs(trouser=share, bag=0.125)
        assert decide(shares, CONTRACT).label == "unsure"
        assert steady_label(Memory(shares, "Trouser", 0.0, "unsure", 9.9), 10.0) == label
    # and it stays before a garment that is a little likelier
    shares = probs(trouser=0.4375, bag=0.5)
    assert steady_label(Memory(shares, "Trouser", 10.0, "Bag", 10.0), 10.1) == "Trouser"


def test_a_name_outlives_its_support_by_four_tenths_of_a_second() -> None:
    memory = Memory(probs(trouser=0.25, bag=0.25), "Trouser", 1.0, "unsure", 1.0)
    assert steady_label(memory, 1.375) == "Trouser"
    assert steady_label(memory, 1.4375) == "unsure"


def test_another_garment_takes_over_when_two_frames_running_name_it() -> None:
    shares = probs(trouser=0.125, bag=0.75)
    memory = Memory(shares, "Trouser", 1.0, "Trouser", 1.0)
    memory, decision = steady(memory, shares, 1.03125, CONTRACT)
    assert (decision.label, decision.confidence) == ("Trouser", 0.75)
    memory, decision = steady(memory, shares, 1.0625, CONTRACT)
    assert decision.label == "Bag"
    assert (memory.label, memory.supported_s) == ("Bag", 1.0625)


def test_one_frame_is_enough_where_frames_are_far_apart() -> None:
    memory = Memory(probs(bag=0.75), "Trouser", 1.0, "Trouser", 1.0)
    assert steady_label(memory, 1.375) == "Trouser"
    assert steady_label(memory, 1.0 + REST_INTERVAL_S) == "Trouser"  # where two a second come, two are needed
    assert steady_label(memory, 1.75) == "Trouser"  # nor of a camera of four a second, whose next may be late
    assert steady_label(memory, 1.8125) == "Bag"


def test_names_that_change_with_every_frame_become_unsure() -> None:
    memory = Memory(probs(trouser=1.0), "Shirt", 0.0, "Bag", 1.9)
    assert steady_label(memory, 2.0) == "unsure"


def test_no_garment_is_held_too() -> None:
    # 0.375 + 0.15 reaches none's threshold of 0.5
    shares = probs(bag=0.25, none=0.375)
    assert steady_label(Memory(shares, "none", 0.0, "none", 9.9), 10.0, LIVE_CONTRACT) == "none"
    assert steady_label(Memory(shares, "unsure", 0.0, "unsure", 9.9), 10.0, LIVE_CONTRACT) == "unsure"
    gone = Memory(probs(none=1.0), "Bag", 1.0, "none", 1.0)
    assert steady_label(gone, 1.375, LIVE_CONTRACT) == "Bag"
    assert steady_label(gone, 1.4375, LIVE_CONTRACT) == "none"


@pytest.mark.parametrize("contract", [each for each in contracts() if each.none_threshold], ids=lambda each: each.name)
def test_every_model_sees_that_there_is_a_garment_again(contract: Contract) -> None:
    memory, now_s = Memory(probs(none=1.0), "none", 0.0, "none", 0.0), 0.0
    for _ in range(30):
        now_s += 0.1
        memory, decision = steady(memory, probs(bag=0.98, none=0.02), now_s, contract)
    assert decision.label == "Bag"


@pytest.mark.parametrize("fps", [2, 4, 10, 30])
def test_a_garment_keeps_its_name_through_noise_and_a_new_one_is_named_in_time(fps: int) -> None:
    held, odd, new = probs(trouser=0.75, bag=0.125), probs(trouser=0.0, bag=0.75), probs(trouser=0.125, bag=0.625)
    memory, now_s = None, 0.0
    for number in range(10 * fps):  # every fifth frame shows something else
        memory, decision = steady(memory, odd if number % 5 == 4 else held, now_s, CONTRACT)
        now_s += 1 / fps
        assert decision.label == "Trouser"
    since_s = now_s
    while decision.label != "Bag":
        memory, decision = steady(memory, new, now_s, CONTRACT)
        assert decision.label in ("Trouser", "Bag")  # nothing in between
        now_s += 1 / fps
    assert now_s - since_s <= max(0.6, 2 / fps)
