"""Several files that belong together, put in place when all of them are written."""

import json
import os
from pathlib import Path
from typing import Any


def install(files: dict[Path, bytes]) -> None:
    """Writes every file under a temporary name, then moves them into place in their order.

    An error or a crash before the last is written leaves all old files as they were. The model comes first: a crash
    between two moves leaves a digest that does not match, which is a clear error, never a wrong answer.
    """
    parts = {path: path.with_name(f".part-{path.name}") for path in files}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with parts[path].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def json_bytes(content: Any) -> bytes:
    """``content`` as indented JSON."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
