"""A camera of this machine, or of the network, by OpenCV."""

import os
import re
import sys
from pathlib import Path

import cv2

from edge_app.cameras.base import UInt8, opencv_to_rgb
from edge_app.errors import CameraError

OPEN_TIMEOUT_MS = 5000
READ_TIMEOUT_MS = 5000
FRAME_WIDTH, FRAME_HEIGHT = 640, 480
SCHEME = re.compile(r"[A-Za-z][\w+.-]+")
HOST_AND_PORT = re.compile(r"(?:\[[^\]/?#]*\]|[\w.-]*)(?::\d+)?")
BACKEND = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY


class DeviceCamera:
    """A camera by its number (0, 1, ...) or its device file (/dev/video0). Raises CameraError if it can't be opened.

    How long a frame may take is the driver's affair; OpenCV gives up after ten seconds under Linux.
    """

    def __init__(self, which: int | str) -> None:
        self.name = f"camera {which}"
        self._capture = cv2.VideoCapture(which, BACKEND)
        if not self._capture.isOpened():
            if is_forbidden(Path(f"/dev/video{which}" if isinstance(which, int) else which)):
                raise CameraError(
                    f"{self.name}: this user may not use it; sudo usermod -aG video $USER, and log in again"
                )
            raise CameraError(
                f"{self.name}: cannot be opened; check that it is plugged in and that no other program uses it"
            )
        # Without these most webcams send large raw pictures, a few a second.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, FRAME_WIDTH)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, FRAME_HEIGHT)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read(self) -> UInt8:
        there_is, frame = self._capture.read()
        if not there_is:
            raise CameraError(f"{self.name}: gives no more pictures; check that it is still plugged in")
        return opencv_to_rgb(frame, self.name)

    def close(self) -> None:
        self._capture.release()


class NetworkCamera:
    """A stream by its address (rtsp, rtmp, http, https, tcp, udp). Raises CameraError if it can't be opened."""

    def __init__(self, url: str) -> None:
        self.name = without_password(url)
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
        self._capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)
        if not self._capture.isOpened():
            raise CameraError(f"{self.name}: cannot be opened; check the address and that the camera is switched on")

    def read(self) -> UInt8:
        there_is, frame = self._capture.read()
        if not there_is:
            raise CameraError(f"{self.name}: the stream has ended or stopped; check the camera and the network")
        return opencv_to_rgb(frame, self.name)

    def close(self) -> None:
        self._capture.release()


def first_device() -> DeviceCamera:
    """The first camera that gives a picture. Raises CameraError if none does."""
    forbidden = None
    found = sorted(int(path.name[5:]) for path in Path("/dev").glob("video*") if path.name[5:].isdigit())
    # Windows and macOS have no such files: there the first few numbers are tried.
    for number in found if Path("/dev").is_dir() and Path("/sys").is_dir() else range(4):
        try:
            camera = DeviceCamera(number)
        except CameraError as error:
            forbidden = error if is_forbidden(Path(f"/dev/video{number}")) else forbidden
            continue
        try:
            camera.read()  # a Raspberry Pi lists a dozen devices that open and are no cameras
            return camera
        except (CameraError, cv2.error):
            camera.close()
    if forbidden:
        raise forbidden
    raise CameraError(
        "no camera found on this machine that gives a picture; plug one in, or stop the program that uses it, and "
        "start again (what a Raspberry Pi's own camera still needs, --camera picamera says)"
    )


def is_forbidden(path: Path) -> bool:
    """Whether there is such a device file, and this user may not read or write it."""
    return path.is_char_device() and not os.access(path, os.R_OK | os.W_OK)


def without_password(url: str) -> str:
    """The address as it may be shown: rtsp://user:secret@host:554/live?key=secret -> rtsp://***@host:554/...

    Where an @ follows a / or ?, what is behind it may be the host, or the end of a password: then rtsp://*** it is.
    What is no address (no ://) stays as it is, unless it looks like one with a slash too few: then rtsp:*** it is.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, _, rest = url.partition(":")
        looks_like_one = SCHEME.fullmatch(scheme) and (rest.startswith("/") or "@" in rest)
        return f"{scheme}:***" if looks_like_one else url
    user, at, place = rest.rpartition("@")
    if set(user) & set("/?#"):
        return f"{scheme}://***"
    found = HOST_AND_PORT.match(place)
    host = found[0] if found else ""
    behind = place.removeprefix(host)
    return f"{scheme}://{'***@' if at else ''}{host}{behind if behind in ('', '/') else '/...'}"
