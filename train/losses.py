"""Loss and accuracy of examples that may have several right classes: a shoe in a photo may be any of three."""

from collections.abc import Callable

import keras
from keras import ops


def cross_entropy(smoothing: float) -> Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]:
    """The loss of logits (N, C) against right classes (N, C), of which a row may have several, each 1.

    It is minus the logarithm of the probability of any of them, mixed with the mean over all classes by ``smoothing``
    (label smoothing, arXiv 1512.00567 section 7); for one right class it is Keras's CategoricalCrossentropy.
    """

    def loss(right: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        log_probs = ops.log_softmax(logits, axis=-1)
        of_right = ops.logsumexp(ops.where(right > 0, log_probs, -1e9), axis=-1)
        return -(1 - smoothing) * of_right - smoothing * ops.mean(log_probs, axis=-1)

    return loss


def taught(
    smoothing: float, weight: float, temperature: float
) -> Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]:
    """``cross_entropy`` of a student mixed by ``weight`` with its distance from teachers.

    The distance is the cross entropy of both sides' softened probabilities, times the temperature squared (arXiv
    1503.02531 section 2). The loss takes right classes (N, C) and (N, 2, C): the student's logits, then the teachers'.
    """
    own = cross_entropy(smoothing)

    def loss(right: keras.KerasTensor, both: keras.KerasTensor) -> keras.KerasTensor:
        student, teachers = both[:, 0], both[:, 1]
        soft = ops.softmax(teachers / temperature, axis=-1)
        distance = -ops.sum(soft * ops.log_softmax(student / temperature, axis=-1), axis=-1)
        return (1 - weight) * own(right, student) + weight * temperature**2 * distance

    return loss


def answered(
    smoothing: float, weight: float, temperature: float
) -> Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]:
    """The same loss of a student's logits (N, C) against what is known, (N, 2, C): right classes, and teachers' logits.

    A row without a right class has the teachers' share only; one without answers (NaN) is ``cross_entropy`` alone.
    """
    own = cross_entropy(smoothing)

    def loss(known: keras.KerasTensor, student: keras.KerasTensor) -> keras.KerasTensor:
        right, answers = known[:, 0], known[:, 1]
        has_answer = ops.logical_not(ops.isnan(answers[:, 0]))
        has_name = ops.any(right > 0, axis=-1)
        own_share = ops.where(has_name, ops.where(has_answer, 1 - weight, 1.0), 0.0)
        named = ops.where(has_name[:, None], right, 1.0)  # any class is right where it does not count
        soft = ops.softmax(ops.where(has_answer[:, None], answers, 0.0) / temperature, axis=-1)
        distance = -ops.sum(soft * ops.log_softmax(student / temperature, axis=-1), axis=-1)
        return own_share * own(named, student) + ops.where(has_answer, weight, 0.0) * temperature**2 * distance

    return loss


def answered_accuracy(known: keras.KerasTensor, student: keras.KerasTensor) -> keras.KerasTensor:
    """``accuracy`` of logits (N, C) by the right classes of (N, 2, C), or, where there are none, by the teachers'."""
    right, answers = known[:, 0], known[:, 1]
    theirs = ops.one_hot(ops.argmax(answers, axis=-1), answers.shape[-1])
    return accuracy(ops.where(ops.any(right > 0, axis=-1)[:, None], right, theirs), student)


def students_accuracy(right: keras.KerasTensor, both: keras.KerasTensor) -> keras.KerasTensor:
    """``accuracy`` of the first of two (N, 2, C)."""
    return accuracy(right, both[:, 0])


def accuracy(right: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Of each row, whether its largest logit (N, C) is at a right class (N, C): 0 or 1."""
    return ops.sum(right * ops.one_hot(ops.argmax(logits, axis=-1), logits.shape[-1]), axis=-1)
