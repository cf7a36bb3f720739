"""No run is lost: killed at any moment, on a full disk, with a loss that is no number, or under another backend."""

import csv
import dataclasses
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edge_app.errors import RunError
from train.fit import Batches, Examples, Phase, fit
from train.keeper import HISTORY, STATE, require_finite
from train.models import build
from train.recipes import Config, article
from train.run import CONFIG, RESULT, WEIGHTS, Inputs, run
from train.state import Row, State, assign, to_arrays

ROOT = Path(__file__).parents[2]
KILLABLE = Path(__file__).with_name("killable.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
KILLS = int(os.environ.get("EDGE_APP_KILLS", "1"))  # scripts/test-kills asks for more


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", str(KILLABLE), str(folder)]
    return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / HISTORY).open(newline="", encoding="utf-8") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def outcome(folder: Path) -> tuple[list[dict[str, str]], dict[str, Any], list[bytes]]:
    """Everything that a run comes to, but how long it took."""
    result = json.loads((folder / RESULT).read_text())
    network = build("cnn1")
    network.load_weights(folder / WEIGHTS)
    return history(folder), result | {"training_s": 0}, [w.tobytes() for w in network.get_weights()]


def wait_for_start(folder: Path, process: subprocess.Popen[bytes]) -> float:
    deadline = time.monotonic() + 300
    while not (folder / CONFIG).exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return time.monotonic()


def test_killed_runs_end_like_an_unbroken_one(tmp_path: Path) -> None:
    """kill -9 at random moments, one in each of KILLS equal stretches of a run; then the same command again."""
    began = wait_for_start(tmp_path / "whole", process := start(tmp_path / "whole"))
    assert process.wait(timeout=900) == 0
    duration_s = time.monotonic() - began
    expected = outcome(tmp_path / "whole")
    assert [row["epoch"] for row in expected[0]] == ["1", "2", "3", "4", "5"]
    cut_off: list[int] = []
    while len(cut_off) < KILLS:
        folder = tmp_path / str(time.monotonic_ns())
        wait_for_start(folder, process := start(folder))
        time.sleep((len(cut_off) + random.random()) / KILLS * duration_s)
        process.send_signal(signal.SIGKILL)
        if process.wait(timeout=30) != -signal.SIGKILL:
            continue  # it had ended: once more
        cut_off.append(len(history(folder)) if (folder / HISTORY).exists() else 0)
        assert start(folder).wait(timeout=900) == 0
        assert outcome(folder) == expected, f"killed after epoch {cut_off[-1]}"
    rows, accuracy = len(expected[0]), expected[1]["test"]["accuracy"]
    print(f"{KILLS} runs killed, after {cut_off} whole epochs. All went on: each has the {rows} rows of history,")
    print(f"the weights and the test accuracy ({accuracy:.2%}) of the unbroken run, to the bit")


def stripes(count: int) -> Examples:
    labels = np.arange(count) % 10
    images = np.zeros((count, 28, 28, 1), np.uint8)
    images[np.arange(count), 2 * labels] = 200
    return Examples(images, np.eye(10, dtype=np.float32)[labels])


def config(epochs: int, learning_rate: float = 1e-3) -> Config:
    recipe = dataclasses.replace(article("cnn1"), epochs=epochs, augmented_epochs=0, learning_rate=learning_rate)
    return Config("cnn1", recipe, 1, 28, {})


def train(folder: Path, epochs: int, learning_rate: float = 1e-3) -> list[Row]:
    keras.utils.set_random_seed(1)
    phase = Phase(epochs, lambda epoch: Batches(stripes(100), 20, 1, epoch), None)
    return fit(build("cnn1"), config(epochs, learning_rate), [phase], stripes(50), folder)


def test_history_is_whole_after_a_stop_between_the_two_files(tmp_path: Path) -> None:
    train(tmp_path, 2)
    before = history(tmp_path)
    (tmp_path / HISTORY).write_text("epoch\n1\n")
    train(tmp_path, 2)
    assert history(tmp_path) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for one state, not for two."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here: this test needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk_leaves_the_state_before_and_room_lets_it_go_on(tmp_path: Path, small_disk: Path) -> None:
    with pytest.raises(RunError) as raised:
        train(small_disk, 2)
    assert str(raised.value) == (
        f"epoch 2 could not be kept in {small_disk} (No space left on device). The last one that could is whole: make "
        "room, and the same command goes on from there."
    )
    assert len(State.load(small_disk / STATE).history) == len(history(small_disk)) == 1
    assert not list(small_disk.glob(".part-*"))
    subprocess.run(["mount", "-o", "remount,size=99m", str(small_disk)], check=True)
    train(small_disk, 2)
    train(tmp_path / "whole", 2)
    assert history(small_disk) == history(tmp_path / "whole")


def test_state_that_does_not_fit_leaves_the_one_before(tmp_path: Path) -> None:
    """The same where nothing can be mounted: files may not grow beyond a megabyte."""
    before = train(tmp_path, 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(RunError, match=r"epoch 2 could not be kept in .* \(File too large\)\. .*: make room, and"):
            train(tmp_path, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert State.load(tmp_path / STATE).history == before
    assert not list(tmp_path.glob(".part-*"))
    assert len(train(tmp_path, 2)) == 2


def test_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        RunError, match=r"file/run cannot be written to \(Not a directory\)\. Name another --out, or make room: a run"
    ):
        run(config(1), Inputs(None), tmp_path / "file" / "run")  # type: ignore[arg-type]


def test_loss_that_is_no_number_leaves_the_last_good_weights(tmp_path: Path) -> None:
    """A step so long that the dense layer adds infinities of both signs."""
    train(tmp_path, 1)
    with pytest.raises(RunError) as raised:
        train(tmp_path, 3, learning_rate=1e30)
    assert str(raised.value) == (
        f"loss became nan in epoch 2. What was learned before is whole, in {tmp_path / STATE}; "
        "the same command would come to the same end. Train again with a lower --learning-rate, under another --out."
    )
    kept = State.load(tmp_path / STATE)
    assert [row["epoch"] for row in kept.history] == [1]
    assert all(np.isfinite(array).all() for array in [*kept.variables, *kept.best])
    assert [row["epoch"] for row in history(tmp_path)] == ["1"]


def test_what_is_finite_passes(tmp_path: Path) -> None:
    good = {"epoch": 2.0, "loss": 1.0, "val_loss": 1.0}
    require_finite(good, [np.zeros(2, np.float32), np.zeros(2, np.int64)], tmp_path)
    with pytest.raises(
        RunError, match=r"^loss became nan in epoch 2\. What was learned before is whole, in .*state\.npz;"
    ):
        require_finite(good | {"loss": np.nan}, [], tmp_path)
    with pytest.raises(RunError, match=r"^val_loss became inf in epoch 1\. Nothing was kept"):
        require_finite(good | {"epoch": 1.0, "val_loss": np.inf}, [], tmp_path)
    with pytest.raises(RunError, match=r"^weights became infinite or not a number in epoch 2\."):
        require_finite(good, [np.zeros(2, np.int64), np.array([1, np.inf], np.float32)], tmp_path)


def test_state_is_of_no_backend(tmp_path: Path) -> None:
    """A zip archive of plain numbers, in the order in which every backend of Keras makes its variables."""
    rows = train(tmp_path, 1)
    with zipfile.ZipFile(tmp_path / STATE) as archive:
        names = sorted(archive.namelist())
    assert names == [
        *(f"best{i:04d}.npy" for i in range(6)),
        "history.npy",
        *(f"variable{i:04d}.npy" for i in range(20)),
    ]
    state = State.load(tmp_path / STATE)  # allows no pickled objects
    assert state.history == rows
    shapes = [(3, 3, 1, 32), (32,), (2,), (5408, 128), (128,), (128, 10), (10,)]  # (2,): of Dropout, seed and counter
    moments = [shape for shape in shapes if shape != (2,) for _ in ("first", "second")]
    assert [array.shape for array in state.variables] == [*shapes, (), *moments]  # (): the number of steps
    assert {array.dtype.kind for array in state.variables} == {"f", "i"}


@pytest.mark.parametrize("kind", ["uint32", "int32", "int64"])
def test_seeds_pass_from_one_backend_to_another(kind: str) -> None:
    """TensorFlow keeps a generator's seed and counter as int64, JAX as uint32."""
    seeds = keras.random.SeedGenerator(4_000_000_000 if kind != "int32" else 7).state
    before = to_arrays([seeds])[0]
    assign([seeds], [before.astype(kind) + 1])
    assert to_arrays([seeds])[0].tolist() == [before[0] + 1, 1]
