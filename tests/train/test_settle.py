"""Batch normalizations end with the statistics of what reaches them without dropout."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
from test_run import DATA, tiny_config

from train.fit import Phase, views
from train.keeper import STATE
from train.models import WIDE, build
from train.run import WEIGHTS, Inputs, run
from train.settle import settle
from train.state import State


def network() -> keras.Model:
    pixels = keras.Input((2,))
    hidden = keras.layers.Dropout(0.5, seed=1)(pixels)
    hidden = keras.layers.BatchNormalization(epsilon=1e-9, name="first")(hidden)
    hidden = keras.layers.Rescaling(3, offset=1)(hidden)
    hidden = keras.layers.Dropout(0.5, seed=2)(hidden)
    return keras.Model(pixels, keras.layers.BatchNormalization(name="second")(hidden))


def test_statistics_of_two_normalizations_in_a_row() -> None:
    net = network()
    settle(net, lambda: np.array([[1, 10], [3, 10], [5, 40], [7, 40]], np.float32))
    first, second = net.get_layer("first"), net.get_layer("second")
    np.testing.assert_allclose(first.moving_mean, [4, 25], rtol=1e-6)
    np.testing.assert_allclose(first.moving_variance, [5, 225], rtol=1e-6)
    # What the first gives has mean 0 and variance 1; tripled and moved by 1 that is 1 and 9.
    np.testing.assert_allclose(second.moving_mean, [1, 1], atol=1e-5)
    np.testing.assert_allclose(second.moving_variance, [9, 9], rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "dropout_epochs", "is_settled"),
    [("cnn4", 0, False), ("cnn4", 1, True), ("cnn4", None, True), (WIDE, None, False)],  # the last has no such layer
)
def test_only_weights_that_were_learned_with_dropout(
    tmp_path: Path, model: str, dropout_epochs: int | None, is_settled: bool
) -> None:
    config = tiny_config("cnn4", 28)
    recipe = dataclasses.replace(config.recipe, dropout_epochs=dropout_epochs)
    result = run(dataclasses.replace(config, model=model, recipe=recipe), Inputs(DATA), tmp_path)
    assert result["best_epoch"] == 1 or model == WIDE
    network = build(model)
    network.load_weights(tmp_path / WEIGHTS)
    gathered = State.load(tmp_path / STATE).best
    assert is_settled == any(not np.array_equal(*pair) for pair in zip(network.get_weights(), gathered, strict=True))


def test_nothing_else_changes() -> None:
    pixels = keras.Input((2,))
    net = keras.Model(pixels, keras.layers.BatchNormalization()(keras.layers.Dense(3)(pixels)))
    before = [np.array(variable) for variable in net.trainable_variables]
    settle(net, lambda: np.ones((4, 2), np.float32))
    assert len(before) == 4
    for variable, value in zip(net.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), value)


class Counting(keras.utils.PyDataset):  # type: ignore[misc]
    """Three batches of two: 0 1, 2 3, 4 5, and no targets to speak of."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> tuple[np.ndarray, None]:
        return np.array([[2 * index], [2 * index + 1]], np.float32) + 100 * self.epoch, None


def test_views_are_those_of_training_and_no_more_batches_than_needed() -> None:
    doubled = keras.Sequential([keras.Input((1,)), keras.layers.Rescaling(2)])
    assert views(Phase(1, Counting, None), 3).ravel().tolist() == [0, 1, 2, 3]
    assert views(Phase(1, Counting, doubled), 3).ravel().tolist() == [0, 2, 4, 6]
    assert views(Phase(1, Counting, None), 100).ravel().tolist() == [0, 1, 2, 3, 4, 5]
