"""What every camera can do."""

from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge_app.errors import CameraError

UInt8 = npt.NDArray[np.uint8]


class Camera(Protocol):
    """A source of frames. Used by one thread."""

    def read(self) -> UInt8:
        """Waits for the next frame: frame_rgb, uint8 (H, W, 3), 0..255. Raises CameraError when there is none."""
        ...

    def close(self) -> None:
        """Lets go of the camera. No `read` after it."""
        ...


def opencv_to_rgb(frame: npt.NDArray[np.generic] | None, name: str) -> UInt8:
    """What OpenCV gave, grey (H, W), BGR (H, W, 3) or BGRA (H, W, 4), uint8 -> frame_rgb, uint8 (H, W, 3).

    Raises CameraError, naming the camera, for anything else.
    """
    if frame is None or frame.dtype != np.uint8 or 0 in frame.shape:
        raise CameraError(f"{name}: gave an empty frame; unplug it and plug it in again")
    channels = 1 if frame.ndim == 2 else frame.shape[2]
    conversions = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    if frame.ndim not in (2, 3) or channels not in conversions:
        raise CameraError(f"{name}: gave a frame of shape {frame.shape}; expected a grey or colour picture")
    return np.asarray(cv2.cvtColor(frame.astype(np.uint8, copy=False), conversions[channels]), dtype=np.uint8)
