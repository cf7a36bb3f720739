"""Gradio is imported without writing stubs, and is all there."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from edge_app.page.quick import gradio, without_stubs


def test_no_stub_is_written() -> None:
    stub = Path(inspect.getfile(gradio.Button)).with_suffix(".pyi")
    before = stub.read_bytes() if stub.exists() else None
    stub.write_text("# another\n", encoding="utf-8")
    try:
        subprocess.run([sys.executable, "-c", "import edge_app.page.quick"], check=True)
        assert stub.read_text(encoding="utf-8") == "# another\n"
    finally:
        stub.unlink() if before is None else stub.write_bytes(before)


def test_files_of_classes_are_found_again() -> None:
    with without_stubs(), pytest.raises(OSError, match="no stubs"):
        inspect.getfile(gradio.Button)
    assert inspect.getfile(gradio.Button).endswith("button.py")
