"""A video file in place of a camera."""

import time
from pathlib import Path

import cv2

from edge_app.cameras.base import UInt8, opencv_to_rgb
from edge_app.errors import CameraError

USUAL_FPS = 25.0  # for a file that does not say, or says nonsense


class VideoFile:
    """The frames of a video file, at the file's own pace, from the start again after the last.

    Raises CameraError if it can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise CameraError(f"{path}: not a video that OpenCV can read; convert it to MP4 or AVI")
        stated_fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._interval_s = 1 / (stated_fps if 1 <= stated_fps <= 240 else USUAL_FPS)
        self._due_s = time.monotonic()

    def read(self) -> UInt8:
        there_is, frame = self._capture.read()
        if not there_is:  # the end; not every file can be wound back, a raw stream such as .h264 cannot
            self._capture.open(str(self._path))
            there_is, frame = self._capture.read()
        if not there_is:
            raise CameraError(f"{self._path}: no picture can be read from it; convert it to MP4 or AVI")
        now_s = time.monotonic()
        time.sleep(max(0.0, self._due_s - now_s))
        # A reader that was held up goes on at the file's pace; it does not race to catch up.
        self._due_s = max(self._due_s, now_s) + self._interval_s
        return opencv_to_rgb(frame, str(self._path))

    def close(self) -> None:
        self._capture.release()
