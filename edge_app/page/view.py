"""From a Decision to what the page shows: pure functions."""

from dataclasses import dataclass

from edge_app.contract import Contract
from edge_app.decide import UNSURE, Decision
from edge_app.labels import NONE

BARS = 3
# The data sets of a contract's accuracies in words, the hardest first; of each the data kept for the end, if there is.
JUDGED = (
    ("photos val", "of photos"),
    ("products val", "of shop pictures"),
    ("fashion-mnist test", "of Fashion-MNIST"),
)


@dataclass(frozen=True)
class Bar:
    """One line of the three best: a name and its probability in whole percent, 0..100."""

    name: str
    percent: int


@dataclass(frozen=True)
class View:
    """What the page shows of one answer.

    ``answer`` is the garment's name, empty when there is none. ``state`` is one of sure, unsure and nothing,
    ``words`` says it to a person; its first word is the state. ``bars`` are the likeliest names, best first.
    """

    answer: str
    state: str
    words: str
    bars: tuple[Bar, ...]


def view(decision: Decision) -> View:
    """What the page shows of a Decision."""
    ranked = sorted(decision.probs.items(), key=lambda pair: -pair[1])
    bars = tuple(Bar("nothing" if name == NONE else name, percent(p)) for name, p in ranked[:BARS])
    if decision.label == NONE:
        return View("", "nothing", "nothing: no garment in view", bars)
    if decision.label == UNSURE:
        likeliest = [name for name, _ in ranked if name != NONE][:2]
        first, second = sorted(likeliest, key=list(decision.probs).index)  # so that two alike do not change places
        return View("", "unsure", f"unsure: {first} or {second}?", bars)
    return View(decision.label, "sure", f"sure: {percent(decision.probs[decision.label])} %", bars)


def percent(probability: float) -> int:
    """0..1 -> whole percent, at most 99: no answer from a camera is certain."""
    return min(99, round(100 * probability))


def nameable(contract: Contract) -> str:
    """What the model can name, as a sentence."""
    *others, last = [label for label in contract.labels if label != NONE]
    return f"It can name: {', '.join(others)} and {last}."


def summary(contract: Contract, size_bytes: int) -> str:
    """A model in the list: its name, how often its likeliest name is right on the hardest data there is, its size."""
    return " · ".join(
        [contract.name, *[f"{share} %" for share, _ in _judged(contract)][:1], f"{size_bytes / 1e6:.1f} MB"]
    )


def facts(contract: Contract) -> str:
    """How often the model's likeliest name is right, thresholds ignored, as a sentence; empty if it was not judged."""
    judged = ", ".join(f"{share} % {words}" for share, words in _judged(contract))
    return f"Its likeliest name is right for {judged}." if judged else ""


def _judged(contract: Contract) -> list[tuple[int, str]]:
    return [(percent(contract.accuracy[name]), words) for name, words in JUDGED if name in contract.accuracy]


def limits(contract: Contract) -> str:
    """What the model can't do, in a sentence or two; empty when there is nothing to warn of."""
    if contract.variant == "live":
        return ""
    return (
        "This model knows shop pictures only: hold one garment in front of a plain background. "
        "In a real room it is often wrong, and it gives anything else one of these names too."
    )
