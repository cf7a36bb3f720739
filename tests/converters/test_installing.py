"""Either all files are put in place, or the old ones stay and work."""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converters.__main__ import main
from converters.install import install
from edge_app.classifier import Classifier
from edge_app.models import assets_dir

NAME = "cnn3-fashion-mnist"
SUFFIXES = (".tflite", ".json")

CRASH = """
import os, sys
from pathlib import Path
from converters.install import install
Path.replace = lambda *_: os._exit(9)
install({Path(name): b"half a model" for name in sys.argv[1:]})
"""


@pytest.fixture
def model(tmp_path: Path) -> list[Path]:
    """A shipped model's file and contract, in a folder of their own."""
    return [Path(shutil.copy(assets_dir() / "models" / f"{NAME}{suffix}", tmp_path)) for suffix in SUFFIXES]


def works(model: list[Path]) -> bool:
    return Classifier.load(str(model[0])).logits(np.zeros((1, 28, 28, 1), np.uint8)).shape == (1, 10)


def test_a_crash_between_write_and_move_leaves_the_old_model(model: list[Path]) -> None:
    done = subprocess.run([sys.executable, "-c", CRASH, *map(str, model)], timeout=60, check=False)
    assert done.returncode == 9
    assert works(model)
    parts = sorted(path for path in model[0].parent.iterdir() if path.name.startswith(".part-"))
    assert [part.read_bytes() for part in parts] == [b"half a model"] * 2
    install({path: path.read_bytes() for path in model})  # the next one clears up
    assert sorted(model[0].parent.iterdir()) == sorted(model) and works(model)


def test_a_full_disk_leaves_the_old_model(model: list[Path]) -> None:
    """A limit on the size of files stands for it: the first is written, the second is not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            install({model[0]: bytes(1000), model[1]: bytes(200_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(model[0].parent.iterdir()) == sorted(model) and works(model)


def test_files_are_moved_in_their_order(tmp_path: Path) -> None:
    install({tmp_path / "new" / "b": b"1", tmp_path / "new" / "a": b"2"})
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == {"a": b"2", "b": b"1"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no/such/run"], "not a complete run or checkpoint"),
        ([str(assets_dir() / "checkpoints" / f"{NAME}.weights.h5"), "--out", __file__], "File exists"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], complaint: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--data", str(data_dir)]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_for_other_labels_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The weights of ten classes with the record of a live model, which has eleven."""
    weights = tmp_path / f"{NAME}.weights.h5"
    shutil.copy(assets_dir() / "checkpoints" / weights.name, weights)
    record = (assets_dir() / "checkpoints" / f"{NAME}.json").read_text()
    mixture = """{"fashion": 1, "pasted": 1, "products": 1, "nothing": 1, "photo_repeats": 1, "augmentation":
        {"rotation_deg": 0, "shift": 0, "shear_deg": 0, "zoom": 0, "flip": false, "brightness": 0, "contrast": 0,
        "erasing": 0}}"""
    live = json.loads(record.replace('"mixture": null', f'"mixture": {mixture}'))
    (tmp_path / f"{NAME}.json").write_text(json.dumps(live))
    assert main([str(weights), "--out", str(tmp_path / "out")]) == 2
    assert "has learned other classes than edge_app/labels.py lists: they differ by none" in capsys.readouterr().err
    live["result"]["test"]["classes"].append({"label": "none"})
    (tmp_path / f"{NAME}.json").write_text(json.dumps(live))
    assert main([str(weights), "--out", str(tmp_path / "out")]) == 2
    assert "not a complete run or checkpoint" in capsys.readouterr().err


def test_what_is_converted_already_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(assets_dir() / "models" / "vgg19.tflite")]) == 2
    assert "is converted already. Name the run or the checkpoint that it came of." in capsys.readouterr().err
