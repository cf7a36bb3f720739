"""A picture, or a folder of pictures, in place of a camera."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

from edge_app.cameras.base import UInt8
from edge_app.errors import CameraError, ImageError
from edge_app.images import SUFFIXES, decode_file, is_picture

SHOWN_S = 2.0
INTERVAL_S = 0.1  # a picture is given again and again while it is shown: a still life, not a stopped camera


class PictureFolder:
    """Each picture of a folder, or a single one, for two seconds, by their names, then from the start again.

    A picture that can't be read is passed over. Raises CameraError if there is none that can.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        paths = sorted(filter(is_picture, source.iterdir())) if source.is_dir() else [source]
        if not paths:
            raise CameraError(f"{source}: no pictures in it; expected some of {', '.join(SUFFIXES)}")
        self._frames = self._shown(paths)
        self._due_s = time.monotonic()

    def read(self) -> UInt8:
        frame_rgb = next(self._frames)
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self._due_s = time.monotonic() + INTERVAL_S
        return frame_rgb

    def close(self) -> None:
        self._frames = iter(())

    def _shown(self, paths: list[Path]) -> Iterator[UInt8]:
        unreadable = 0
        for path in itertools.cycle(paths):
            try:
                frame_rgb = decode_file(path)
                unreadable = 0
            except ImageError as error:
                unreadable += 1
                if unreadable == len(paths):
                    raise CameraError(f"{self._source}: none of its pictures can be read ({error})") from error
                continue
            for _ in range(round(SHOWN_S / INTERVAL_S)):
                yield frame_rgb
