"""The measuring script runs, and says what it can measure."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def measure(*arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(ROOT / folder) for folder in (".", "tests/edge_app", "scripts"))
    command = [sys.executable, "scripts/measuring.py", *arguments]
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_figure_is_printed_with_its_bar_and_the_conditions() -> None:
    """Whether it is reached is for whoever measures: this machine may be slow, or busy."""
    done = measure("path")
    *conditions, row = done.stdout.splitlines()
    assert "threads: " in conditions[0] and "cores" in conditions[1] and conditions[2].startswith("load before: ")
    found = re.fullmatch(r"frame path without the model, p50 +\d+\.\d\d ms  <= 1 ms +(reached|MISSED)", row)
    assert found is not None, done.stderr
    assert done.returncode == (0 if found[1] == "reached" else 1)


def test_an_unknown_figure_is_an_error_that_names_the_others() -> None:
    done = measure("weight")
    assert done.returncode == 2
    assert "no such measurement: weight; there are start, one, four, slow" in done.stderr
