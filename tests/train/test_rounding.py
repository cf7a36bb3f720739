"""Roundings of int8 in training, worked by hand; and that a network which learned with them bears its conversion."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from train.fit import Batches, Examples, Phase, fit
from train.models import build
from train.recipes import Config, article
from train.rounding import Int8, rounded, to_steps


def test_to_steps() -> None:
    values = np.array([-1.0, -0.3, 0.0, 0.2, 0.6], np.float32)
    assert np.asarray(to_steps(values, np.float32(0.5))).tolist() == [-1, -0.5, 0, 0, 0.5]
    assert np.asarray(to_steps(np.zeros(2, np.float32), np.float32(0))).tolist() == [0, 0]


def test_a_layer_in_eight_bits() -> None:
    """The kernel's columns have steps of 1 and 0.5, the outputs one step for all."""
    dense = keras.layers.Dense(2)
    dense.build((None, 2))
    dense.set_weights([np.array([[127, 63.5], [1.4, 0.3]], np.float32), np.array([0, 1], np.float32)])
    given = np.array([[4, 2], [0, -257], [0, 1]], np.float32)
    # Rounded, the kernel is [[127, 63.5], [1, 0.5]]: outputs [[510, 256], [-257, -127.5], [1, 1.5]], step 767 / 255.
    step = 767 / 255
    expected = np.rint(np.array([[510, 256], [-257, -127.5], [1, 1.5]]) / step) * step
    assert np.asarray(Int8(dense)(given)) == pytest.approx(expected, abs=1e-4)
    assert np.asarray(dense(given))[0, 0] == pytest.approx(510.8)  # the layer itself stays as it is


def network_of(weights: list[float]) -> keras.Model:
    pixels = keras.Input((2,), name="pixels")
    network = keras.Model(pixels, {"logits": keras.layers.Dense(2, name="logits")(pixels)})
    network.set_weights([np.array(weights, np.float32).reshape(2, 2), np.zeros(2, np.float32)])
    return network


def test_it_computes_what_the_network_does_but_for_small_steps() -> None:
    keras.utils.set_random_seed(1)
    for name in ("cnn1", "cnn3", "cnn4"):
        network = build(name, live=True)
        pixels = np.random.default_rng(1).integers(0, 256, (20, 28, 28, 1)).astype(np.float32)
        expected = np.asarray(network(pixels, training=False)["logits"])
        found = np.asarray(rounded(network)(pixels, training=False))
        error = np.abs(found - expected).mean() / expected.std()
        assert 1e-4 < error < 0.05
        assert [id(v) for v in rounded(network).trainable_variables] == [id(v) for v in network.trainable_variables]


@pytest.mark.parametrize("is_rounded", [False, True])
def test_training_sees_the_roundings_and_the_network_keeps_its_own_weights(tmp_path: Path, is_rounded: bool) -> None:
    """With a rate of 1e-30 the loss tells which weights were asked: 0.3 of 127 rounds to 0, and both logits are 0."""
    network = network_of([127, 127, 0.3, -0.3])
    batches = Batches(Examples(np.array([[0, 1]], np.float32), np.array([[1, 0]], np.float32)), 1, 1, 0)
    recipe = replace(article("cnn1"), epochs=1, learning_rate=1e-30, rounded=is_rounded)
    phases = [Phase(1, lambda _: batches, None)]
    (row,) = fit(network, Config("cnn1", recipe, 1, 28, {}), phases, batches.examples, tmp_path)
    expected = np.log(2) if is_rounded else np.log1p(np.exp(-0.6))
    assert row["loss"] == pytest.approx(expected, abs=1e-5) and row["val_loss"] == pytest.approx(expected, abs=1e-5)
    assert network.get_weights()[0].ravel() == pytest.approx([127, 127, 0.3, -0.3])


def test_gradients_pass_as_if_nothing_was_rounded(tmp_path: Path) -> None:
    network = network_of([127, 127, 0.3, -0.3])
    batches = Batches(Examples(np.array([[0, 1]], np.float32), np.array([[1, 0]], np.float32)), 1, 1, 0)
    recipe = replace(article("cnn1"), epochs=1, learning_rate=0.01, rounded=True)
    fit(network, Config("cnn1", recipe, 1, 28, {}), [Phase(1, lambda _: batches, None)], batches.examples, tmp_path)
    assert network.get_weights()[0].ravel() == pytest.approx([127, 127, 0.31, -0.31], abs=1e-4)  # Adam's first step
