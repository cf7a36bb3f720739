"""A camera whose pictures are looked at before they are passed on."""

import time

import numpy as np

from edge_app.cameras.base import Camera, UInt8
from edge_app.errors import BlankPicture, CameraError

BLANK_S = 3.0
_STRIDE = 8  # every eighth pixel of every eighth row tells enough
_SPREAD = 2  # steps of 0..255: real sensors differ more between pixels, even before a plain wall
_BLACK = 4.0  # mean of 0..255


class Checked:
    """Passes on a camera's pictures, except blank ones.

    `read` raises BlankPicture when pictures have been blank for BLANK_S, CameraError when they change their size: the
    camera is then to be opened again.
    """

    def __init__(self, camera: Camera, name: str) -> None:
        self._camera, self._name = camera, name
        self._size: tuple[int, ...] | None = None

    def read(self) -> UInt8:
        deadline_s = time.monotonic() + BLANK_S
        while is_blank(frame_rgb := self._camera.read()):
            if time.monotonic() > deadline_s:
                raise BlankPicture(
                    f"{self._name}: its picture is black or of one colour; check its lens cover, cable and the light"
                )
        size = frame_rgb.shape[:2]
        if self._size not in (None, size):
            raise CameraError(f"{self._name}: changed the size of its pictures to {size[1]}x{size[0]}; opened again")
        self._size = size
        return frame_rgb

    def close(self) -> None:
        self._camera.close()


def is_blank(frame_rgb: UInt8) -> bool:
    """Whether a frame uint8 (H, W, 3) is black, or of one colour, as broken streams give it."""
    some = frame_rgb[::_STRIDE, ::_STRIDE].reshape(-1, 3)
    return bool(some.mean() < _BLACK or np.ptp(some, axis=0).max() <= _SPREAD)
