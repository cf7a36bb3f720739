"""Batches, and the state that a training goes on from."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_app.errors import RunError
from train.fit import Batches, Examples, Phase, apart, fashion_phases, fit, steps
from train.keeper import STATE
from train.recipes import Config, article, best
from train.state import State, assign, to_arrays


def test_order_of_batches_depends_on_seed_and_epoch_alone() -> None:
    examples = Examples(np.arange(10, dtype=np.uint8)[:, np.newaxis], np.eye(10, dtype=np.float32))
    batches = Batches(examples, 4, seed=1, epoch=0)
    assert [len(batches[i][0]) for i in range(len(batches))] == [4, 4, 2]
    assert sorted(np.concatenate([batches[i][0] for i in range(3)]).ravel()) == list(range(10))
    inputs, targets = batches[0]
    assert np.array_equal(targets.argmax(axis=1), inputs.ravel())
    batches.on_epoch_end()
    assert np.array_equal(batches.order, Batches(examples, 4, seed=1, epoch=1).order)
    assert not np.array_equal(batches.order, Batches(examples, 4, seed=1, epoch=0).order)


def test_images_come_as_they_are_then_changed_then_as_they_are() -> None:
    examples = Examples(np.zeros((512, 28, 28, 1), np.uint8), np.eye(10, dtype=np.float32)[np.zeros(512, int)])
    phases = fashion_phases(article("cnn4"), examples, seed=1)
    assert [(phase.end, phase.augment is None) for phase in phases] == [(10, True), (60, False), (75, True)]
    assert steps(phases) == 75 * 2
    phases = fashion_phases(best("cnn4", on_gpu=False), examples, seed=1)
    assert [(phase.end, phase.augment is None) for phase in phases] == [(0, True), (60, False), (75, True)]


def test_phases_meet_where_dropout_ends() -> None:
    first, second = (Phase(end, lambda _: examples(1), None) for end in (2, 6))
    assert [phase.end for phase in apart([first, second], None)] == [2, 6]
    assert [phase.end for phase in apart([first, second], 2)] == [2, 6]
    assert [phase.end for phase in apart([first, second], 4)] == [2, 4, 6]
    assert [phase.end for phase in apart([first, second], 0)] == [2, 6]


def examples(seed: int) -> Batches:
    return Batches(Examples(np.ones((8, 4), np.float32), np.eye(2, dtype=np.float32)[[0, 1] * 4]), 8, seed, 0)


@pytest.mark.parametrize("stopped", [False, True])
def test_dropout_ends_with_its_epochs(tmp_path: Path, stopped: bool) -> None:
    """A rate of 1e-30 changes nothing, so the losses on the same pictures differ by dropout alone."""
    pixels = keras.Input((4,), name="pixels")
    hidden = keras.layers.Dropout(0.5, seed=1)(pixels)
    logits = keras.layers.Dense(2, name="logits", kernel_initializer=keras.initializers.RandomNormal(seed=1))(hidden)
    network = keras.Model(pixels, {"logits": logits})
    recipe = replace(article("cnn1"), epochs=3, learning_rate=1e-30, dropout_epochs=2)
    for end in (1, 2, 3) if stopped else (3,):
        phases = [Phase(end, lambda _: examples(1), None)]
        history = fit(network, Config("cnn1", recipe, 1, 28, {}), phases, examples(1).examples, tmp_path)
    assert [row["loss"] == pytest.approx(row["val_loss"], abs=1e-6) for row in history] == [False, False, True]
    assert [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)] == [0.5]


def test_state_survives_saving(tmp_path: Path) -> None:
    rows = [{"epoch": 1.0, "val_accuracy": 0.5}, {"epoch": 2.0, "val_accuracy": 0.25}]
    state = State(rows, [np.arange(3, dtype=np.int64), np.zeros((2, 2), np.float32)], [np.ones(1, np.float32)])
    state.save(tmp_path / STATE)
    loaded = State.load(tmp_path / STATE)
    assert loaded.history == rows
    assert loaded.best_accuracy == 0.5
    assert [a.tolist() for a in loaded.variables] == [[0, 1, 2], [[0, 0], [0, 0]]]
    assert [a.tolist() for a in loaded.best] == [[1]]
    assert State.load(tmp_path / "absent").history == []


def test_damaged_or_foreign_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / STATE
    State([{"val_accuracy": 1.0}], [np.zeros(3)], []).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RunError, match="damaged"):
        State.load(path)
    path.write_bytes(b"")
    with pytest.raises(RunError, match="damaged"):
        State.load(path)
    variable = keras.Variable(np.zeros((2, 2)))
    with pytest.raises(RunError, match="another network"):
        assign([variable], [np.zeros(3)])
    assign([variable], [np.full((2, 2), 7.0)])
    assert to_arrays([variable])[0].tolist() == [[7, 7], [7, 7]]
