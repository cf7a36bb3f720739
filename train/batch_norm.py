"""Batch normalization in one operation."""

from typing import Any

import keras
from keras import layers


class BatchNormalization(layers.BatchNormalization):  # type: ignore[misc]
    """Keras's, over the last axis, scaled and shifted; in training under TensorFlow it is one operation.

    Keras makes several of it, which take a CPU longer than all else in a step of cnn3. What differs are the moving
    averages of the variance alone: TensorFlow estimates that of N values with N - 1.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """float (N, C) or (N, H, W, C) -> the same; like Keras's it moves its averages while it learns."""
        if not (training and self.trainable and keras.backend.backend() == "tensorflow"):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        pictures = inputs if len(inputs.shape) == 4 else inputs[:, None, None, :]
        fused = tf.raw_ops.FusedBatchNormV3(
            x=pictures,
            scale=tf.convert_to_tensor(self.gamma.value),
            offset=tf.convert_to_tensor(self.beta.value),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        for average, batch in ((self.moving_mean, fused.batch_mean), (self.moving_variance, fused.batch_variance)):
            average.assign(average * self.momentum + batch * (1 - self.momentum))
        return fused.y if len(inputs.shape) == 4 else fused.y[:, 0, 0, :]
