"""Figures of a classifier from its labels and logits; pure numpy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClassReport:
    """One class: precision, recall and F1 (0..1; 0 where undefined), and how many examples it has."""

    label: str
    precision: float
    recall: float
    f1: float
    count: int


def accuracy(truth: npt.NDArray[np.integer], logits: npt.NDArray[np.floating]) -> float:
    """Share (0..1) of rows of ``logits`` (N, classes) whose largest value is at ``truth`` (N,)."""
    return float(np.mean(logits.argmax(axis=-1) == truth))


def cross_entropy(truth: npt.NDArray[np.integer], logits: npt.NDArray[np.floating]) -> float:
    """Mean of -log softmax(logits)[truth], in nats."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return float(-log_probs[np.arange(len(truth)), truth].mean())


def confusion(truth: npt.NDArray[np.integer], predicted: npt.NDArray[np.integer], classes: int) -> Int64:
    """int64 (classes, classes): row = true class, column = predicted class."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (truth, predicted), 1)
    return matrix


def class_reports(matrix: Int64, labels: tuple[str, ...]) -> list[ClassReport]:
    """A report for each class of a confusion matrix."""

    def ratio(part: float, whole: float) -> float:
        return float(part / whole) if whole else 0.0

    reports = []
    for index, label in enumerate(labels):
        hits, given, truly = matrix[index, index], matrix[:, index].sum(), matrix[index].sum()
        f1 = ratio(2 * hits, given + truly)
        reports.append(ClassReport(label, ratio(hits, given), ratio(hits, truly), f1, int(truly)))
    return reports


def auroc(scores: npt.NDArray[np.floating], positive: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a positive one scores above a negative one, ties counting half.

    By ranks (Mann-Whitney U; Hanley and McNeil 1982, Radiology 143); ``scores`` and ``positive`` are (N,).
    """
    order, counts = np.unique(scores, return_inverse=True, return_counts=True)[1:]
    last = counts.cumsum()
    ranks = (last - (counts - 1) / 2)[order]  # from 1; equal scores share the mean of their ranks
    positives, negatives = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))
