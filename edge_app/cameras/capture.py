"""A thread that reads a camera and keeps only the newest frame."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2

from edge_app.cameras.base import Camera, UInt8
from edge_app.errors import BlankPicture, CameraError

STOP_TIMEOUT_S = 5.0
OPENING_S = 10.0  # until a camera's first picture: some take seconds
STALLED_S = 6.0  # between two pictures of a slow stream; after 5 s without one OpenCV gives up
BLANK_LASTS_S = 20.0  # as long as a blank picture speaks for a camera: it is opened again, waited for, and looked at


@dataclass(frozen=True)
class Frame:
    """``frame_rgb`` uint8 (H, W, 3), when it was captured (time.monotonic) and its number."""

    frame_rgb: UInt8
    captured_s: float
    number: int


@dataclass(frozen=True)
class Restarts:
    """A camera that fails is opened again, ``budget`` times, ``pause_s`` apart; ``healthy_s`` of frames refill it."""

    budget: int = 30
    pause_s: float = 2.0
    healthy_s: float = 10.0


class Capture:
    """The newest frame of a camera; older ones are dropped.

    The camera is opened, read and closed by a thread of its own, from `start` to `close`. ``trouble`` is what is
    wrong with it, empty while frames come; ``gave_up`` says that it won't be opened
    again. Frames are numbered from `after` + 1 on.
    """

    def __init__(self, opener: Callable[[], Camera], restarts: Restarts, after: int = 0) -> None:
        self.trouble = ""
        self.gave_up = False
        self._opener, self._restarts = opener, restarts
        self._restarts_left = restarts.budget
        self._newest: Frame | None = None
        self._started_s = math.inf
        self._blank_s = -math.inf
        self._number = after
        self._arrived = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        self._started_s = time.monotonic()
        self._thread.start()

    @property
    def may_yet_give(self) -> bool:
        """Whether it was started, or has given a picture, so lately that another may yet come."""
        since_s, longest_s = (self._newest.captured_s, STALLED_S) if self._newest else (self._started_s, OPENING_S)
        return not self.trouble and time.monotonic() - since_s < longest_s

    @property
    def is_blank(self) -> bool:
        """Whether its trouble is that pictures were blank a moment ago."""
        return bool(self.trouble) and time.monotonic() - self._blank_s < BLANK_LASTS_S

    def close(self) -> None:
        """Stops the thread, which closes the camera."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def newest(self, after: int, timeout_s: float) -> Frame | None:
        """The newest frame, once its number is above `after`; None if there is none in time."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._newest is not None and self._newest.number > after, timeout_s):
                return None
            return self._newest

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                is_blank = False
                try:
                    self._read_until_it_fails()
                except (CameraError, cv2.error, OSError) as error:
                    is_blank = isinstance(error, BlankPicture)
                    self._blank_s = time.monotonic() if is_blank else -math.inf
                    self.trouble = str(error)
                if not is_blank:  # a camera in a dark room works, however long the night is
                    if self._restarts_left == 0:
                        return
                    self._restarts_left -= 1
                self._stopping.wait(self._restarts.pause_s)
        finally:  # after an error nobody expected, too: Python prints it when it ends the thread
            if not self._stopping.is_set():
                self.trouble = self.trouble or "the camera failed in a way of its own; the terminal says how"
                self.gave_up = True

    def _read_until_it_fails(self) -> None:
        camera = self._opener()
        try:
            healthy_s = time.monotonic() + self._restarts.healthy_s
            while not self._stopping.is_set():
                self._keep(camera.read())
                if time.monotonic() > healthy_s:
                    self._restarts_left = self._restarts.budget
        finally:
            camera.close()

    def _keep(self, frame_rgb: UInt8) -> None:
        with self._arrived:
            self._number += 1
            self._newest = Frame(frame_rgb, time.monotonic(), self._number)
            self.trouble = ""
            self._arrived.notify_all()
