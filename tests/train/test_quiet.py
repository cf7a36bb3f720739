"""Commands say what the user has to know, and not what TensorFlow says at every start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from train import quiet

SAID = b"libcudnn.so cannot be opened\n"


def speaks() -> bool:
    """What C++ code does: it writes past Python."""
    os.write(2, SAID)
    return False


def breaks() -> bool:
    speaks()
    raise OSError("no device")


@pytest.mark.parametrize("module", ["train", "converters"])
def test_an_error_is_all_that_is_printed(module: str) -> None:
    command = [sys.executable, "-m", module, *(["cnn1", "--data"] if module == "train" else []), "/nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and done.stdout == ""
    if any(driver.exists() for driver in quiet.DRIVERS):  # then more may be said, and rightly
        assert "\nerror: /nowhere: " in f"\n{done.stderr}"
    else:
        assert done.stderr.startswith("error: /nowhere: ") and done.stderr.count("\n") == 1, done.stderr


def test_a_backend_that_is_not_there() -> None:
    environment = os.environ | {"KERAS_BACKEND": "abacus"}
    command = [sys.executable, "-m", "train", "cnn1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "error: Keras cannot load its backend (Unable to import backend : abacus)"
    )


@pytest.mark.parametrize("has_driver", [False, True])
def test_why_a_gpu_is_not_seen_is_said_where_there_is_one(
    has_driver: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("train.devices.on_gpu", speaks)
    monkeypatch.setattr(quiet, "DRIVERS", (tmp_path if has_driver else tmp_path / "none",))
    capfd.readouterr()  # what importing train.devices may have said
    quiet.load_backend()
    os.write(2, b"heard again\n")
    assert capfd.readouterr().err.encode() == (SAID if has_driver else b"") + b"heard again\n"


def test_what_was_said_before_a_failure_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("train.devices.on_gpu", breaks)
    capfd.readouterr()
    with pytest.raises(OSError, match="no device"):
        quiet.load_backend()
    assert capfd.readouterr().err.encode() == SAID


def test_without_a_standard_error_stream() -> None:
    command = f"exec 2>&-; {sys.executable} -m train cnn1 --data /nowhere"
    assert subprocess.run(["bash", "-c", command], timeout=120, check=False).returncode == 2


@pytest.mark.parametrize(
    ("status", "shell", "printed"),
    [(0, "", "said\ncleaned up\n"), (quiet.INTERRUPTED, "", "said\n"), (quiet.INTERRUPTED, "exec >&-; ", "")],
)
def test_after_ctrl_c_nothing_is_cleaned_up(status: int, shell: str, printed: str) -> None:
    ends = (
        f"import atexit, train.quiet; atexit.register(print, 'cleaned up'); print('said'); train.quiet.leave({status})"
    )
    command = ["bash", "-c", f'{shell}exec {sys.executable} -c "{ends}"']
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, printed, "")
