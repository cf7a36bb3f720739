"""Several devices, and 16 bits, learn what one device learns in 32."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from teamwork import cnn1, stripes, work

import train.devices
import train.fit
from edge_app.errors import RunError
from train.devices import computes_in
from train.fit import InOrder
from train.keeper import STATE
from train.normalized import normalized
from train.state import Row, State
from train.team import ADDRESSES, ALONE, CLUSTER, Served, Team, gather

ROOT = Path(__file__).parents[2]
TEAMWORK = Path(__file__).with_name("teamwork.py")
ROUNDING = 1e-5  # sums of float32 numbers in another order; 5e-7 was seen


def losses(history: list[Row]) -> list[float]:
    return [row[name] for row in history for name in ("loss", "val_loss", "accuracy", "val_accuracy")]


def test_two_devices_learn_what_one_does_and_one_goes_on(tmp_path: Path) -> None:
    """TensorFlow's MirroredStrategy in a process of its own, for two epochs; then one device, for a third."""
    command = [sys.executable, "-W", "ignore", str(TEAMWORK), str(tmp_path / "two"), "2", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    state = State.load(tmp_path / "two" / STATE)
    history, network = work(tmp_path / "one", ALONE, 2)
    assert len(state.history) == 2
    assert losses(state.history) == pytest.approx(losses(history), abs=ROUNDING)
    logits = network.predict(stripes(20).inputs, verbose=0)["logits"]
    assert np.load(tmp_path / "two" / "logits.npy") == pytest.approx(logits, abs=ROUNDING)
    batches_halved, _ = work(tmp_path / "halved", ALONE, 2, batch_size=16)
    assert losses(batches_halved) != pytest.approx(losses(history), abs=100 * ROUNDING)

    resumed, _ = work(tmp_path / "two", ALONE, 3)
    expected, _ = work(tmp_path / "one", ALONE, 3)
    assert resumed[:2] == state.history
    assert losses(resumed) == pytest.approx(losses(expected), abs=ROUNDING)


def test_each_process_has_its_rows_of_every_batch() -> None:
    """Of 21 rows in batches of 8 four devices in two processes have 8, 8 and 4, half of them each; the last is left."""
    batches = InOrder(train.fit.Examples(np.arange(21)[:, np.newaxis], np.eye(21, dtype=np.float32)), 8)

    def rows(team: Team) -> list[list[float]]:
        served = Served(batches, team)
        return [served[index][0].ravel().tolist() for index in range(len(served))]

    assert rows(Team(4, 2, 0)) == [[0, 1, 2, 3], [8, 9, 10, 11], [16, 17]]
    assert rows(Team(4, 2, 1)) == [[4, 5, 6, 7], [12, 13, 14, 15], [18, 19]]
    assert rows(Team(6)) == [[*range(6)], [*range(8, 14)]]  # the last five are too few
    assert rows(ALONE) == [[*range(8)], [*range(8, 16)], [*range(16, 21)]]
    served = Served(batches, Team(4, 2, 1))
    assert np.array_equal(served[2][1].argmax(axis=1), served[2][0].ravel())


def test_only_the_chief_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history, _ = work(tmp_path / "run", Team(place=1), 1)
    assert len(history) == 1
    assert not (tmp_path / "run").exists()
    assert capsys.readouterr().out == ""
    work(tmp_path / "run", ALONE, 1)
    assert "epoch 1/1: loss" in capsys.readouterr().out
    assert len(State.load(tmp_path / "run" / STATE).history) == 1


def test_batches_made_by_several_threads_come_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = work(tmp_path / "one", ALONE, 2)
    monkeypatch.setattr(train.fit, "on_gpu", lambda: True)
    four, _ = work(tmp_path / "four", ALONE, 2)
    assert losses(four) == losses(one)


def test_team_of_one_and_what_keras_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CLUSTER, raising=False)
    assert gather("cnn1", "live") is ALONE  # a processor is one device
    monkeypatch.setenv(CLUSTER, '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')
    with pytest.raises(RunError, match=rf"cannot train on several machines under TensorFlow .*{ADDRESSES}\.$"):
        gather("cnn1", "article")
    for nonsense in ("two machines", "[]"):
        monkeypatch.setenv(CLUSTER, nonsense)
        with pytest.raises(RunError, match=rf"^{CLUSTER} is not what TensorFlow expects"):
            gather("cnn1", "article")


def test_which_precisions_a_processor_computes_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train.devices, "on_gpu", lambda: False)
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("processor : 0\nflags\t\t: fpu avx512f avx512_bf16_not\n", encoding="utf-8")
    new.write_text("processor : 0\nflags\t\t: fpu avx512f avx512_bf16\n", encoding="utf-8")
    for cpuinfo, expected in ((old, False), (new, True), (tmp_path / "none", False)):
        assert computes_in("bfloat16", cpuinfo) == expected
        assert computes_in("float32", cpuinfo)
        assert not computes_in("float16", cpuinfo)
    monkeypatch.setattr(train.devices, "on_gpu", lambda: True)
    assert computes_in("float16", old)


def normalized_cnn1() -> keras.Model:
    return normalized(cnn1())


@pytest.mark.parametrize(
    ("precision", "make"),
    [("bfloat16", cnn1), ("float16", cnn1), ("bfloat16", normalized_cnn1)],
)
def test_16_bits_learn_alike_and_are_kept_in_32(
    tmp_path: Path, precision: str, make: Callable[[], keras.Model]
) -> None:
    expected, _ = work(tmp_path / "float32", ALONE, 1, make=make)
    history, network = work(tmp_path / precision, ALONE, 1, precision=precision, make=make)
    assert losses(history) != losses(expected)
    assert [row["val_loss"] for row in history] == pytest.approx([row["val_loss"] for row in expected], abs=0.03)
    state = State.load(tmp_path / precision / STATE)
    assert {array.dtype.name for array in state.variables if array.dtype.kind == "f"} == {"float32"}
    assert (2.0**15 in [array for array in state.variables if array.shape == ()]) == (precision == "float16")
    assert all(layer.compute_dtype == "float32" for layer in network.layers)
    assert keras.config.dtype_policy().name == "float32"
    again, _ = work(tmp_path / precision, ALONE, 1, precision=precision, make=make)
    assert again == history
