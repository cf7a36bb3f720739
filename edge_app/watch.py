"""The device's own camera, classified while somebody looks."""

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2

from edge_app.cameras.base import Camera, UInt8
from edge_app.cameras.capture import Capture, Restarts
from edge_app.errors import BlankPicture, CameraError, EdgeAppError
from edge_app.pace import next_pace, small_grey
from edge_app.pipeline import Answer, Classifiers, Pipeline, Wish, look
from edge_app.pixels import resize

UNWATCHED_S = 5.0
FRAME_TIMEOUT_S = 1.0
CLOSE_TIMEOUT_S = 10.0
RESTARTS = Restarts()
SHOWN_WIDTH = 480
JPEG_QUALITY = 80


@dataclass(frozen=True)
class Sight:
    """A frame, uint8 (H, W, 3), and a model's answers, by what was wished; ``captured_s`` is time.monotonic.
    ``dropped`` frames have passed while the model was at others."""

    number: int
    captured_s: float
    dropped: int
    frame_rgb: UInt8
    answers: dict[Wish, Answer]

    @cached_property
    def jpeg(self) -> str:
        """The frame as base64 JPEG, made when it is first shown."""
        return to_jpeg(self.frame_rgb)


class GaveUp(CameraError):
    """The camera has failed too often and won't be opened again until somebody starts it."""


class NotYet(EdgeAppError):
    """The camera gives pictures, but the last one is still being looked at; or it may yet give the next."""


class Watch:
    """Opens the camera when the first watcher asks, closes it when none has asked for a while.

    Frames are classified as edge_app.pace says, at most one every `min_interval_s`, by each model that is wished in a
    thread of its own: no watcher waits for a slower model than his. A model looks at each region once, however many
    watchers have it; a watcher has one wish. Frames' numbers rise, also when the camera is opened again.
    """

    def __init__(self, opener: Callable[[], Camera], classifiers: Classifiers, min_interval_s: float = 0.0) -> None:
        self._opener, self._classifiers, self._min_interval_s = opener, classifiers, min_interval_s
        self._unwatched_s = UNWATCHED_S + min_interval_s  # watchers ask no more often than there is news
        self._number = 0  # of the newest frame that was looked at
        self._lock = threading.Condition()
        self._wanted: dict[str, tuple[Wish, float]] = {}  # by watcher, and until when
        self._answering: set[str] = set()  # models that are at it
        self._sights: dict[str, Sight] = {}  # by model, as the following
        self._threads: dict[str, threading.Thread] = {}
        self._capture: Capture | None = None
        self._thread: threading.Thread | None = None

    @property
    def watching(self) -> bool:
        """Whether the camera is being read, or tried."""
        return self._thread is not None and self._thread.is_alive()

    def look(self, watcher: str, wish: Wish, after: int, timeout_s: float) -> Sight:
        """The newest sight with an answer to `wish`, once its number is another than `after`.

        Raises CameraError if the camera is in trouble or there is none within `timeout_s` of when it may be due,
        NotYet if that is because answers take so long or the camera may yet give a picture, BlankPicture if it gives
        only blank ones, and what `Classifier.load` raises.
        """
        self._classifiers.get(wish.model)
        timeout_s += self._min_interval_s
        with self._lock:
            if wish.model not in {wished.model for wished in self._wishes()}:
                self._sights.pop(wish.model, None)  # of when it was last wished: an old picture
            if self._capture and self._capture.gave_up and watcher not in self._wanted:
                self._capture, self._sights = None, {}  # who was told of it, or is new, waits for another
            self._wanted[watcher] = (wish, time.monotonic() + timeout_s + self._unwatched_s)
            self._lock.notify_all()  # it may be a model that nobody had wished
            if not self.watching:
                self._capture = None  # a former one's trouble is over
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
            self._lock.wait_for(lambda: self._has_news(wish, after) or self._in_trouble(), timeout_s)
            self._wanted[watcher] = (wish, time.monotonic() + self._unwatched_s)
            if self._has_news(wish, after) and not self._in_trouble():
                return self._sights[wish.model]
            trouble = self._capture.trouble if self._capture else ""
            if self._capture and self._capture.gave_up:
                del self._wanted[watcher]  # the others are told when they ask
                raise GaveUp(trouble)
            if self._capture and self._capture.is_blank:
                raise BlankPicture(trouble)
            if wish.model in self._answering and not trouble:
                raise NotYet("the last picture is still being looked at")
            has_failed = self._has_failed(wish.model)
            may_yet_give = self._capture is None or self._capture.may_yet_give
            if self.watching and may_yet_give and not has_failed:
                raise NotYet("the camera has no new picture yet")
        raise CameraError(trouble or "the camera gives no picture")

    def close(self) -> None:
        """Stops watching and lets go of the camera."""
        with self._lock:
            thread, self._wanted = self._thread, {}
            self._lock.notify_all()
        if thread is not None:
            thread.join(CLOSE_TIMEOUT_S)

    def _has_news(self, wish: Wish, after: int) -> bool:
        sight = self._sights.get(wish.model)
        return sight is not None and sight.number != after and wish in sight.answers

    def _has_failed(self, model: str) -> bool:
        """Whether a model's thread has ended by an error, which Python prints; then it may try once more."""
        thread = self._threads.get(model)
        if thread is None or thread.is_alive():
            return False
        del self._threads[model]
        return True

    def _in_trouble(self) -> bool:
        return self._capture is not None and bool(self._capture.trouble)

    def _run(self) -> None:
        while not self._ends():
            with self._lock:
                capture = self._capture = Capture(self._opener, RESTARTS, self._number)
            capture.start()
            try:
                self._attend(capture)
            finally:
                with self._lock:
                    self._sights = {}
                capture.close()

    def _ends(self) -> bool:
        """Whether nobody asks any more; then the next who does begins a new thread."""
        with self._lock:
            if not self._wishes():
                self._thread = None
            return self._thread is None

    def _wishes(self) -> set[Wish]:
        """What is asked for now, or was a moment ago."""
        with self._lock:
            now_s = time.monotonic()
            self._wanted = {watcher: wanted for watcher, wanted in self._wanted.items() if wanted[1] > now_s}
            return {wish for wish, _ in self._wanted.values()}

    def _attend(self, capture: Capture) -> None:
        """Has each wished model look at the camera's pictures, until nothing is wished, or of another capture."""
        ended = threading.Event()
        try:
            with self._lock:
                while (wishes := self._wishes()) and self._capture is capture:
                    for model in {wish.model for wish in wishes}:
                        if model not in self._threads:
                            thread = threading.Thread(target=self._classify, args=(capture, model, ended), daemon=True)
                            self._threads[model] = thread
                            thread.start()
                    self._lock.wait(FRAME_TIMEOUT_S)
        finally:
            ended.set()
            for thread in list(self._threads.values()):
                thread.join(CLOSE_TIMEOUT_S)
            self._threads = {}

    def _classify(self, capture: Capture, model: str, ended: threading.Event) -> None:
        """One model's answers, while it is wished."""
        lines: dict[Wish, Pipeline] = {}
        pace, number, dropped = None, 0, 0
        while not ended.is_set():
            with self._lock:
                wishes = {wish for wish in self._wishes() if wish.model == model}
                if not wishes:
                    self._threads.pop(model, None)
                    return
            frame = capture.newest(after=number, timeout_s=FRAME_TIMEOUT_S)
            if frame is None:
                with self._lock:
                    self._lock.notify_all()  # the camera may be in trouble
                continue
            dropped += frame.number - number - 1 if number else 0
            number = frame.number
            if not capture.may_yet_give:  # a camera that hangs: this is what it gave last
                continue
            grey = small_grey(frame.frame_rgb)
            pace, is_due = next_pace(pace, grey, frame.captured_s, self._min_interval_s)
            if not is_due and wishes <= lines.keys():
                continue
            classifier = self._classifiers.get(model)
            lines = {wish: lines.get(wish) or Pipeline(classifier, wish) for wish in wishes}
            self._answering.add(model)
            try:
                looks = {part: look(classifier, frame.frame_rgb, part) for part in {wish.region for wish in wishes}}
            finally:
                self._answering.discard(model)
            answers = {wish: line.answer(looks[wish.region], frame.captured_s) for wish, line in lines.items()}
            with self._lock:
                if ended.is_set() or self._capture is not capture:
                    return
                self._sights[model] = Sight(number, frame.captured_s, dropped, frame.frame_rgb, answers)
                self._number = max(self._number, number)
                self._lock.notify_all()


def to_jpeg(frame_rgb: UInt8) -> str:
    """frame_rgb uint8 (H, W, 3) -> base64 JPEG, at most SHOWN_WIDTH wide."""
    height, width = frame_rgb.shape[:2]
    if width > SHOWN_WIDTH:
        frame_rgb = resize(frame_rgb, max(1, round(height * SHOWN_WIDTH / width)), SHOWN_WIDTH)
    bgr = cv2.cvtColor(frame_rgb, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return base64.b64encode(jpeg.tobytes()).decode("ascii")
