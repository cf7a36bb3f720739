"""The folder in which this user's files are kept: the page's certificate, and what was taught."""

import os
import sys
import tempfile
from pathlib import Path


def user_dir() -> Path:
    """Where this user's programs keep data: XDG_DATA_HOME and its like."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "edge-fashion"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "edge-fashion"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "edge-fashion"


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
