"""install.sh, run for real below a folder: this project's own wheel in a real virtual environment.

What the wheel depends on is not downloaded again but lent by the environment of the tests.
"""

import base64
import csv
import hashlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from edge_app.models import assets_dir

INSTALL = assets_dir() / "raspberry-pi" / "install.sh"
TIMEOUT_S = 300
NOT_LENT = ("edge_", "_edge", "__editable__", "pip", "setuptools", "distutils-precedence")


class Installer:
    """install.sh --root: everything goes below ``root``."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.root, self._wheels = folder / "root", wheels
        lent, self.programs = folder / "lent", folder / "bin"
        for made in (self.root, lent, self.programs):
            made.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if not entry.name.startswith(NOT_LENT):
                (lent / entry.name).symlink_to(entry)
        # The same Python as the tests', whichever the machine calls python3.
        self.fake("python3", f'exec {os.path.realpath(sys.executable)} "$@"')
        path = f"{self.programs}:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "PYTHONPATH": str(lent), "PIP_NO_DEPS": "1"}

    @property
    def home(self) -> Path:
        return self.root / "opt" / "edge-fashion"

    @property
    def settings(self) -> Path:
        return self.root / "etc" / "default" / "edge-fashion"

    @property
    def versions(self) -> list[str]:
        return sorted(path.name for path in (self.home / "versions").iterdir())

    def fake(self, program: str, script: str) -> None:
        """A program that is found before the machine's own."""
        path = self.programs / program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def start(self) -> "subprocess.Popen[str]":
        """install.sh and all it starts, in a process group of its own."""
        return subprocess.Popen(
            [INSTALL, "--root", self.root, "--wheels", self._wheels],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str | Path) -> "subprocess.CompletedProcess[str]":
        command: list[str | Path] = [INSTALL, "--root", self.root, *options]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )

    def install(self) -> "subprocess.CompletedProcess[str]":
        return self.run("--wheels", self._wheels)

    def answer(self) -> str:
        """What the installed version says of the drawn trousers."""
        (drawing,) = self.home.glob("current/lib/python3*/site-packages/edge_app/assets/examples/trouser.png")
        program = self.home / "current" / "bin" / "edge-fashion"
        command: list[str | Path] = [program, "classify", "--model", "cnn4-fashion-mnist", drawing]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        answer: str = done.stdout.removeprefix(f"{drawing}: ")
        return answer

    def damaged(self) -> list[str]:
        """Files of the installed wheel that are missing, or not what the wheel held, by the record in it."""
        (record,) = self.home.glob("current/lib/python3*/site-packages/edge_fashion-*.dist-info/RECORD")
        site = record.parents[1]
        with record.open(newline="") as rows:
            digests = {site / name: digest for name, digest, _ in csv.reader(rows) if digest}
        return [str(path) for path, digest in digests.items() if not path.is_file() or sha256(path) != digest]


def sha256(path: Path) -> str:
    """As a wheel's record writes it."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest())
    return "sha256=" + digest.decode().rstrip("=")
