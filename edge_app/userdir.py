"""The folder in which this user's files are kept: the page's certificate, and what was taught."""

import os
import sys
import tempfile
from pathlib import Path

from edge_app.errors import NoHome


def user_dir() -> Path:
    """Where this user's programs keep data: XDG_DATA_HOME and its like. Raises NoHome."""
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support" / "edge-fashion"
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_DATA_HOME")
    elsewhere = ("AppData", "Local") if sys.platform == "win32" else (".local", "share")
    return (Path(named) if named else _home().joinpath(*elsewhere)) / "edge-fashion"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise NoHome("this user has no folder of its own: set HOME, or XDG_DATA_HOME") from error


def write_whole(path: Path, content: bytes) -> None:
    """All of it or nothing, readable for this user only; the folder is made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
