"""How a classifier does on real pictures, of which one may have several right names; pure numpy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_app.decide import probabilities
from edge_app.labels import NONE
from train.metrics import auroc
from train.pictures import Picture

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Judgement:
    """Figures of one set of pictures; thresholds are ignored.

    ``right``: share (0..1) of the garments whose likeliest label, of all there are, is right. ``classes``: the same for
    each class (or the classes that are right together), ``counts`` their numbers, ``balanced`` the mean over them.
    ``auroc``: of P(none) for no garment against garments; None where a model has no such class, or all are garments.
    """

    right: float
    balanced: float
    classes: dict[str, float]
    counts: dict[str, int]
    auroc: float | None


def judge(labels: tuple[str, ...], rows: list[Picture], logits: Float32) -> Judgement:
    """Logits float32 (N, len(labels)) of N pictures, at least one of them a garment -> Judgement."""
    named = [labels[index] for index in logits.argmax(axis=-1)]
    hits: dict[str, list[bool]] = {}
    for row, name in zip(rows, named, strict=True):
        if row.is_garment:
            hits.setdefault(" or ".join(row.classes), []).append(name in row.classes)
    classes = {name: float(np.mean(found)) for name, found in sorted(hits.items())}
    nothing = np.array([not row.is_garment for row in rows])
    separable = NONE in labels and nothing.any()
    p_none = probabilities(logits, 1.0)[:, labels.index(NONE)] if separable else None
    return Judgement(
        right=float(np.mean(np.concatenate(list(hits.values())))),
        balanced=float(np.mean(list(classes.values()))),
        classes=classes,
        counts={name: len(found) for name, found in sorted(hits.items())},
        auroc=None if p_none is None else auroc(p_none, nothing),
    )
