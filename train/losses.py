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


def accuracy(right: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Of each row, whether its largest logit (N, C) is at a right class (N, C): 0 or 1."""
    return ops.sum(right * ops.one_hot(ops.argmax(logits, axis=-1), logits.shape[-1]), axis=-1)
