"""A Raspberry Pi's own camera, by Picamera2."""

import importlib
from typing import Any

import numpy as np

from edge_app.cameras.base import UInt8
from edge_app.errors import CameraError

FRAME_SIZE = (640, 480)
READ_TIMEOUT_S = 5.0


class PiCamera:
    """The first camera on the board's own connector (CSI).

    Raises CameraError if there is none or Picamera2 is not installed.
    """

    def __init__(self) -> None:
        picamera2 = _picamera2()
        if picamera2 is None:
            raise CameraError(
                "picamera: Picamera2 is not installed here; on Raspberry Pi OS: apt install python3-picamera2, and a "
                "virtual environment made with --system-site-packages"
            )
        number = _csi_camera(picamera2)
        if number is None:
            raise CameraError("picamera: no camera found; check its cable, and that rpicam-hello shows a picture")
        try:
            self._camera = picamera2.Picamera2(number)
            # Picamera2 names formats by their bytes in memory from the end: BGR888 gives red, green, blue.
            video = self._camera.create_video_configuration(main={"size": FRAME_SIZE, "format": "BGR888"})
            self._camera.configure(video)
            self._camera.start()
        except (RuntimeError, IndexError) as error:
            raise CameraError(f"picamera: cannot be opened ({error}); check that no other program uses it") from error

    def read(self) -> UInt8:
        try:
            job = self._camera.capture_array("main", wait=False)
            return np.asarray(self._camera.wait(job, timeout=READ_TIMEOUT_S), dtype=np.uint8)
        except (RuntimeError, TimeoutError) as error:
            raise CameraError("picamera: gives no more pictures; check its cable") from error

    def close(self) -> None:
        self._camera.stop()
        self._camera.close()


def has_pi_camera() -> bool:
    """Whether Picamera2 is installed and knows a camera on the board's own connector."""
    picamera2 = _picamera2()
    return picamera2 is not None and _csi_camera(picamera2) is not None


def _csi_camera(picamera2: Any) -> int | None:
    """Its number. libcamera lists USB cameras, too, by an Id with their port in it; OpenCV reads those better."""
    cameras = picamera2.Picamera2.global_camera_info()
    return next((camera["Num"] for camera in cameras if "/usb" not in camera["Id"]), None)


def _picamera2() -> Any:
    try:
        return importlib.import_module("picamera2")
    except ImportError:
        return None
