"""Names taught on the device: a small linear head on the model's features, in numpy; pure functions.

For each taught name a ridge regression tells its few examples from the model's points, which are known garments and
empty rooms. Its score becomes a probability that is as eager as it can be while it takes one at most of the points
that the model names rightly by itself: with none, a single odd picture would decide how eager. The model's own
probabilities share what the taught names leave, so that thresholds and hysteresis (edge_app.decide) apply to taught
names as to all others. What is taught may also be one of the model's own labels, none among them: the room without the
garment, since ten pictures of one that all have that room behind them do not tell the two apart.

The choices (unit length, ridge, its strength, steepness, points taken) were made on photos of both splits, so that what
`python -m train teach-figures` gives is a little better than a stranger will see. Nearest class means named far fewer.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge_app.contract import Contract
from edge_app.decide import decide, probabilities
from edge_app.labels import NONE
from edge_app.points import Points, unit

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

MARGIN = 1e-3  # of a logit: for rounding
CERTAIN = 10.0  # a logit as far as it counts: no name takes all
RIDGE = 0.002  # of the features' total variance, so that it means the same for 128 features as for 512
TAKEN = 1  # of the points that the model names rightly, by each name
STEEPNESS = 8.0  # of the score's logit, for each standard deviation of the known garments' scores


@dataclass(frozen=True, eq=False)
class Lessons:
    """Examples: ``names``, what each shows, and the model's ``features`` of it, float32 (N, F), as it gave them."""

    names: tuple[str, ...]
    features: Float32

    @property
    def counts(self) -> dict[str, int]:
        """How many examples each name has, in the order in which they were taught."""
        return {name: self.names.count(name) for name in dict.fromkeys(self.names)}


@dataclass(frozen=True, eq=False)
class Head:
    """What was learned: a name's score is sigmoid(unit(features) @ weights.T + biases); float32 (K, F) and (K,)."""

    names: tuple[str, ...]
    weights: Float32
    biases: Float32

    def logits(self, features: Float32) -> Float64:
        """Features float32 (..., F) -> each name's logit, float64 (..., K)."""
        return np.asarray(unit(features) @ self.weights.T + self.biases, dtype=np.float64)


def learn(lessons: Lessons, points: Points, contract: Contract) -> Head:
    """Lessons with at least one example -> Head. Raises ValueError for features of another length than the points'."""
    if lessons.features.shape[1:] != points.features.shape[1:]:
        raise ValueError(f"lessons of {lessons.features.shape[1:]} features, points of {points.features.shape[1:]}")
    names = tuple(lessons.counts)
    probs = probabilities(points.logits, contract.temperature)
    is_right = np.array([decide(row, contract).label == label for row, label in zip(probs, points.labels, strict=True)])
    examples, shown = unit(lessons.features), np.array(lessons.names)
    labels = np.array(points.labels)
    weights, biases = [], []
    for name in names:
        # A name may also be one of the model's own; but as none this room is taught, not what is none already.
        others = (labels != name) | (name == NONE)
        against = np.concatenate([points.features[others], examples[shown != name]])
        direction = _ridge(examples[shown == name], against)
        scores = points.features @ direction
        steepness = STEEPNESS / max(float(scores[others & (labels != NONE)].std()), 1e-9)
        weights.append(steepness * direction)
        heeded = others & is_right if (others & is_right).any() else others
        bounds = np.sort((_needed_logits(probs, contract, name) - steepness * scores)[heeded])
        biases.append(bounds[: TAKEN + 1][-1] - MARGIN)
    return Head(names, np.array(weights, dtype=np.float32), np.array(biases, dtype=np.float32))


def _ridge(examples: Float32, against: Float32) -> Float64:
    """The direction float64 (F,) in which examples (N, F) stand out from others (M, F); both sides weigh the same."""
    rows = np.concatenate([examples, against]).astype(np.float64)
    sides = np.array([1.0] * len(examples) + [-1.0] * len(against))
    shares = np.where(sides > 0, 0.5 / len(examples), 0.5 / len(against))
    centred = rows - shares @ rows
    weighted = centred * shares[:, np.newaxis]
    scatter = weighted.T @ centred
    strength = RIDGE * max(np.trace(scatter), 1e-9)
    return np.asarray(np.linalg.solve(scatter + strength * np.eye(len(scatter)), weighted.T @ sides))


def _needed_logits(probs: Float32, contract: Contract, name: str) -> Float64:
    """The logit float64 (N,) that a taught score has to reach to be the decision, given probabilities (N, classes).

    It has to leave less than the contract's thresholds to none, and no more than itself to the likeliest other garment.
    What the model itself gives a name of its own counts for it. Of a garment ``none`` needs less: that P(none) comes to
    its threshold.
    """
    is_garment = np.array([label != NONE for label in contract.labels])
    is_other = is_garment & (np.array(contract.labels) != name)
    best = probs[:, is_other].max(axis=-1).astype(np.float64)
    own = probs[:, is_garment & ~is_other].sum(axis=-1).astype(np.float64)
    share = np.maximum((best - own) / (1 + best - own), (contract.threshold - own) / np.maximum(1 - own, 1e-9))
    if contract.none_threshold is not None:
        p_none = probs[:, ~is_garment][:, 0].astype(np.float64)
        share = np.maximum(share, 1 - contract.none_threshold / np.maximum(p_none, 1e-9))
        if name == NONE:
            missing = (contract.none_threshold - p_none) / np.maximum(1 - p_none, 1e-9)
            share = np.where(missing > 0, np.minimum(share, missing), share)
    share = np.clip(share, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(share / (1 - share)))


def with_names(contract: Contract, head: Head | None) -> Contract:
    """The contract with the taught names after its own labels."""
    new = [name for name in head.names if name not in contract.labels] if head else []
    return replace(contract, labels=(*contract.labels, *new))


def with_taught(probs: Float32, features: Float32, head: Head, contract: Contract) -> Float32:
    """The model's probabilities (..., classes) and features (..., F) -> probabilities (..., classes + new names).

    Together the taught names get 1 - prod(1 - score), each in proportion to its odds, e to its logit: two that are both
    sure would otherwise halve it, and neither be likely enough. The model's own labels share what is left as
    before. ``contract`` is the model's with the taught names.
    """
    logits = head.logits(features)
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    left = 1 / (1 + np.exp(np.clip(logits, -CERTAIN, CERTAIN)))
    taken = 1 - np.prod(left, axis=-1, keepdims=True)
    shares = taken * odds / odds.sum(axis=-1, keepdims=True)
    joined = np.zeros((*probs.shape[:-1], len(contract.labels)), dtype=np.float32)
    joined[..., : probs.shape[-1]] = probs * (1 - taken)
    joined[..., [contract.labels.index(name) for name in head.names]] += shares
    return joined
