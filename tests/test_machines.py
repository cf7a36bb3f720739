"""The comparison of two machines' answers, on differences made by hand."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
HERE = [[10, 3, 0], [10, 4, 0], [0, -20, 1]]  # the two best are 7, 6 and 1 steps apart


def compared(paths: list[Path]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "scripts" / "parity.py"), "compare", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("there", "status", "words"),
    [
        (HERE, 0, "equal 100.00%, largest difference 0 steps; best label compared for 1, other for 0"),
        # The third picture's label may change, a logit may be 3 steps off.
        (
            [[10, 3, 0], [10, 4, 3], [2, -20, 1]],
            0,
            "equal 77.78%, largest difference 3 steps; best label compared for 1",
        ),
        (
            [[10, 3, 0], [10, 4, 0], [0, -24, 1]],
            1,
            "largest difference 4 steps; best label compared for 1, other for 0",
        ),
        ([[7, 8, 0], [10, 4, 0], [0, -20, 1]], 1, "largest difference 5 steps; best label compared for 1, other for 1"),
    ],
)
def test_logits_are_compared(tmp_path: Path, there: list[list[int]], status: int, words: str) -> None:
    paths = [tmp_path / "here.npz", tmp_path / "there.npz"]
    for path, steps in zip(paths, (HERE, there), strict=True):
        np.savez(path, cnn9=np.array(steps, dtype=np.int16))
    done = compared(paths)
    assert done.returncode == status
    assert words in done.stdout


def test_a_model_that_is_missing_is_no_parity(tmp_path: Path) -> None:
    paths, zeros = [tmp_path / "here.npz", tmp_path / "there.npz"], np.zeros((1, 2), dtype=np.int16)
    np.savez(paths[0], cnn9=zeros, cnn8=zeros)
    np.savez(paths[1], cnn9=zeros)
    assert compared(paths).returncode == 1
