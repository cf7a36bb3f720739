"""What a network says with dropout, in the mean, it learns to say without."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from train.fit import Batches, Examples, Phase, Teachers, dropout_seeds
from train.recipes import Config, article
from train.undrop import dropping, undrop, without_dropout

ONES = Examples(np.ones((400, 1), np.float32), np.eye(2, dtype=np.float32)[np.ones(400, int)])


def halving() -> keras.Model:
    """1 -> dropped or doubled, by chance -> relu(x - 1), which is 0 or 1 -> logits 0.8 and 0, or 0.8 and 2.

    Without dropout it is relu(1 - 1): logits 0.8 and 0.
    """
    pixels = keras.Input((1,))
    features = keras.layers.Dense(1, activation="relu", name="features")(keras.layers.Dropout(0.5)(pixels))
    logits = keras.layers.Dense(2, name="logits")(features)
    network = keras.Model(pixels, {"logits": logits, "features": features})
    network.set_weights([np.array(values) for values in ([[1]], [-1], [[0, 2]], [0.8, 0])])
    return network


def second(network: keras.Model) -> float:
    """The probability of the second class for a 1."""
    return float(keras.ops.softmax(network(np.ones((1, 1), np.float32))["logits"])[0, 1])


def distil(network: keras.Model, epochs: int, folder: Path) -> None:
    keras.utils.set_random_seed(1)
    recipe = dataclasses.replace(article("cnn1"), batch_size=2, undropped_epochs=epochs)
    phase = Phase(1, lambda epoch: Batches(ONES, 2, 1, epoch), None)
    undrop(network, Config("cnn1", recipe, 1, 28, {}), phase, ONES, folder)


def test_the_mean_of_both_answers_is_learned(tmp_path: Path) -> None:
    network = halving()
    assert second(network) == pytest.approx(1 / (1 + np.exp(0.8)))  # 0.31
    distil(network, 10, tmp_path)
    assert second(network) == pytest.approx((1 / (1 + np.exp(0.8)) + 1 / (1 + np.exp(-1.2))) / 2, abs=0.04)  # 0.54


def test_a_stopped_stage_comes_to_the_same(tmp_path: Path) -> None:
    whole, stopped = halving(), halving()
    distil(whole, 2, tmp_path / "whole")
    state = tmp_path / "stopped" / "undropped" / "state.npz"

    class Stop(Exception):
        pass

    class Stopping(Batches):
        def on_epoch_end(self) -> None:
            if state.exists():
                raise Stop
            super().on_epoch_end()

    keras.utils.set_random_seed(1)
    recipe = dataclasses.replace(article("cnn1"), batch_size=2, undropped_epochs=2)
    config = Config("cnn1", recipe, 1, 28, {})
    with pytest.raises(Stop):
        undrop(stopped, config, Phase(1, lambda epoch: Stopping(ONES, 2, 1, epoch), None), ONES, tmp_path / "stopped")
    again = halving()
    distil(again, 2, tmp_path / "stopped")
    for one, other in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_dropout_the_weights_are_shared() -> None:
    network = halving()
    plain = without_dropout(network)
    assert not dropout_seeds([plain])
    assert plain.trainable_variables == network.trainable_variables
    network.get_layer("logits").bias.assign([1, 2])
    assert np.asarray(plain(np.ones((1, 1)), training=True)["logits"]).tolist() == [[1, 2]]
    assert np.asarray(plain(np.ones((1, 1)))["features"]).tolist() == [[0]]


def test_the_copy_drops_and_draws_the_same_from_the_same_seed() -> None:
    network = halving()
    pixels = np.ones((64, 1), np.float32)
    one, same, other = (np.asarray(Teachers([dropping(network, s)], True)(pixels)) for s in (3, 3, 4))
    assert np.unique(one.astype(np.float64).round(3), axis=0).tolist() == [[0.8, 0], [0.8, 2]]
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    calm = np.asarray(Teachers([dropping(network, 3)])(pixels))
    np.testing.assert_allclose(calm, [[0.8, 0]] * 64, rtol=1e-6)
