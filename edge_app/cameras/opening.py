"""From what the user wrote after --camera to a camera."""

import contextlib
import os
from pathlib import Path

import cv2

from edge_app.cameras.base import Camera
from edge_app.cameras.checked import Checked
from edge_app.cameras.device import DeviceCamera, NetworkCamera, first_device, without_password
from edge_app.cameras.folder import PictureFolder
from edge_app.cameras.picamera import PiCamera, has_pi_camera
from edge_app.cameras.video import VideoFile
from edge_app.errors import CameraError
from edge_app.images import is_picture


def open_camera(spec: str) -> Camera:
    """What `--camera` takes but `browser` -> Camera.

    That is `auto`, `picamera`, `picamera:locked` (its exposure), a camera's number or device file, a video file, a
    picture or a folder of them, a stream's address. Raises CameraError, saying what to do, if it can't be opened.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our own errors say it in plain words
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # quiet, for FFmpeg would print addresses with passwords
    try:
        return _open(spec)
    except OSError as error:
        name = without_password(spec)
        raise CameraError(f"{name}: cannot be read ({error.strerror}); check its name and permissions") from error
    except (cv2.error, ValueError, OverflowError) as error:  # a number that no camera has
        raise CameraError(f"{without_password(spec)}: cannot be opened; --camera takes auto, 0, 1, ...") from error


def _open(spec: str) -> Camera:
    camera = _open_live(spec)
    if camera is not None:
        return Checked(camera, camera.name)
    path = Path(spec)
    if path.is_dir() or (path.is_file() and is_picture(path)):
        return PictureFolder(path)
    if path.is_file():
        return VideoFile(path)
    name = without_password(spec)
    raise CameraError(f"{name}: no such camera, file or folder; --camera takes auto, 0, 1, ..., a path or an address")


def _open_live(spec: str) -> DeviceCamera | NetworkCamera | PiCamera | None:
    """A real camera; None if `spec` is none, but perhaps a file."""
    if spec in ("picamera", "picamera:locked"):
        return PiCamera(lock_exposure=spec == "picamera:locked")
    if spec == "auto":
        return _first_found()
    if spec.isdecimal():
        return DeviceCamera(int(spec))
    scheme, colon, rest = spec.partition("://")
    if colon and scheme.isalnum():
        return NetworkCamera(f"{scheme.lower()}://{rest}")  # FFmpeg knows protocols in small letters only
    return DeviceCamera(spec) if Path(spec).is_char_device() else None


def _first_found() -> DeviceCamera | PiCamera:
    try:
        if has_pi_camera():
            return PiCamera()
    except CameraError:  # which says more than that there is no other
        with contextlib.suppress(CameraError):
            return first_device()
        raise
    return first_device()
