"""Batch normalization by one operation does what Keras's own does."""

import keras
import numpy as np
import pytest

from train.batch_norm import BatchNormalization


@pytest.mark.parametrize("shape", [(6, 2), (3, 2, 5, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_it_learns_and_answers_as_keras_own(shape: tuple[int, ...], training: bool) -> None:
    """Outputs, gradients and moving averages; a variance of N values is estimated from N - 1."""
    given = np.random.default_rng(1).normal(3, 2, shape).astype(np.float32)
    outputs, gradients, averages = [], [], []
    for kind in (keras.layers.BatchNormalization, BatchNormalization):
        norm = kind(momentum=0.75)
        pixels = keras.Input(shape[1:])
        network = keras.Model(pixels, norm(pixels))
        norm.gamma.assign([2, 0.5])
        norm.beta.assign([-1, 1])
        outputs.append(np.asarray(network(given, training=training)))
        averages.append([np.array(norm.moving_mean), np.array(norm.moving_variance)])
        network.compile(keras.optimizers.SGD(1.0), loss=lambda y, found: keras.ops.sum(found * y))
        network.train_on_batch(given, given**2)
        gradients.append(np.concatenate([np.array(norm.gamma), np.array(norm.beta)]))
    for ours, keras_own in ((outputs[1], outputs[0]), (gradients[1], gradients[0])):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-3, atol=1e-4)
    count = given.size // 2
    batch = given.reshape(-1, 2).astype(np.float64)
    variance = 0.75 + 0.25 * batch.var(axis=0) * count / (count - 1) if training else [1, 1]
    np.testing.assert_allclose(averages[1][0], averages[0][0], rtol=1e-5)
    np.testing.assert_allclose(averages[1][1], variance, rtol=1e-5)


def test_a_frozen_one_stays_as_it_is() -> None:
    norm = BatchNormalization()
    given = np.array([[1, 5], [3, 5]], np.float32)
    norm.build(given.shape)
    norm.trainable = False
    np.testing.assert_allclose(norm(given, training=True), given, rtol=1e-3)
    assert np.array(norm.moving_mean).tolist() == [0, 0]


def test_sixteen_bits_stay_sixteen_bits() -> None:
    norm = BatchNormalization(dtype="mixed_bfloat16")
    given = np.random.default_rng(1).normal(3, 2, (64, 2)).astype(np.float32)
    found = keras.ops.convert_to_numpy(norm(keras.ops.cast(given, "bfloat16"), training=True))
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    np.testing.assert_allclose(found.astype(np.float32), (given - given.mean(0)) / given.std(0), atol=0.05)
    assert norm.moving_mean.dtype == "float32"
