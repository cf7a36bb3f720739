"""A Raspberry Pi's own camera, by Picamera2."""

import contextlib
import importlib
import math
import time
from typing import Any

import numpy as np

from edge_app.cameras.base import UInt8
from edge_app.errors import CameraError

FRAME_SIZE = (640, 480)
READ_TIMEOUT_S = 5.0
SETTLED_S = 2.0  # exposure and white balance have settled so long after the start
LOCKED = ("ExposureTime", "AnalogueGain", "ColourGains")


class PiCamera:
    """The first camera on the board's own connector (CSI).

    With `lock_exposure` exposure and white balance stay as they are SETTLED_S after the start. Raises CameraError if
    there is no such camera or Picamera2 is not installed, or does not work.
    """

    name = "picamera"

    def __init__(self, lock_exposure: bool = False) -> None:
        picamera2 = _picamera2()
        if picamera2 is None:
            raise CameraError(
                "picamera: Picamera2 is not installed here; on Raspberry Pi OS: sudo apt install python3-picamera2, "
                "and a virtual environment made with --system-site-packages"
            )
        place = _csi_camera(picamera2)
        if place is None:
            raise CameraError("picamera: no camera found; check its cable, and that rpicam-hello shows a picture")
        try:
            with contextlib.ExitStack() as failing:
                self._camera = picamera2.Picamera2(place)
                failing.callback(self._camera.close)  # Picamera2 keeps hold of it: it could not be opened again
                # Picamera2 names formats by their bytes in memory from the end: BGR888 gives red, green, blue.
                video = self._camera.create_video_configuration(main={"size": FRAME_SIZE, "format": "BGR888"})
                self._camera.configure(video)
                self._camera.start()
                failing.pop_all()
        except (RuntimeError, IndexError) as error:
            raise CameraError(f"picamera: cannot be opened ({error}); check that no other program uses it") from error
        self._lock_due_s = time.monotonic() + SETTLED_S if lock_exposure else math.inf

    def read(self) -> UInt8:
        try:
            if time.monotonic() >= self._lock_due_s:
                self._lock_exposure()
            job = self._camera.capture_array("main", wait=False)
            return np.asarray(self._camera.wait(job, timeout=READ_TIMEOUT_S), dtype=np.uint8)
        except (RuntimeError, TimeoutError) as error:
            raise CameraError("picamera: gives no more pictures; check its cable") from error

    def close(self) -> None:
        self._camera.cancel_all_and_flush()  # after a timeout stop() would wait behind the picture that never came
        self._camera.stop()
        self._camera.close()

    def _lock_exposure(self) -> None:
        self._lock_due_s = math.inf
        settled = self._camera.wait(self._camera.capture_metadata(wait=False), timeout=READ_TIMEOUT_S)
        values = {name: settled[name] for name in LOCKED if name in settled}  # a monochrome sensor has no colours
        switches = {name: False for name in ("AeEnable", "AwbEnable") if name in self._camera.camera_controls}
        self._camera.set_controls({**switches, **values})


def has_pi_camera() -> bool:
    """Whether Picamera2 is installed and knows a camera on the board's own connector. Raises CameraError if it is
    installed and does not work."""
    picamera2 = _picamera2()
    return picamera2 is not None and _csi_camera(picamera2) is not None


def _csi_camera(picamera2: Any) -> int | None:
    """Its place in Picamera2's list, by which Picamera2 opens it, whatever libcamera's own number ("Num") is. There are
    USB cameras, too, by an Id with their port in it; OpenCV reads those better."""
    try:
        cameras = picamera2.Picamera2.global_camera_info()
    except RuntimeError as error:
        raise CameraError(
            f"picamera: cameras cannot be listed ({error}); check that rpicam-hello --list-cameras can"
        ) from error
    return next((place for place, camera in enumerate(cameras) if "/usb" not in camera["Id"]), None)


def _picamera2() -> Any:
    try:
        return importlib.import_module("picamera2")
    except (ImportError, ValueError) as error:  # ValueError: compiled parts were made for another numpy
        if isinstance(error, ModuleNotFoundError) and error.name == "picamera2":
            return None
        remedy = "make this virtual environment with --system-site-packages, and install Picamera2 by apt"
        if "numpy" in str(error):
            remedy = "it was made for numpy 1: pip install -e . 'numpy<2' in a checkout, or install.sh once more"
        raise CameraError(f"picamera: Picamera2 is installed and cannot be imported ({error}); {remedy}") from error
