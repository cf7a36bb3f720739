"""What the page's script calls: one message in, one answer out, both plain data.

Gradio runs these functions outside its queue and without limits of its own, and an exception reaches the script as
`undefined`: so sizes and places are checked here, and every error goes back as data that says it in plain words.
"""

import base64
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import cv2

from edge_app.errors import BlankPicture, CameraError, EdgeAppError
from edge_app.explore import Axis
from edge_app.images import JPEG, decode_bytes
from edge_app.page.atlas import Atlas
from edge_app.page.places import LEASE_S, MAX_FPS, Busy, Place, Places, StillLooking, TooSoon
from edge_app.page.speed import Speeds
from edge_app.pipeline import Answer, Classifiers, Pipeline, Wish, look, what_mattered
from edge_app.pixels import UInt8
from edge_app.region import WHOLE, Region
from edge_app.watch import GaveUp, NotYet, Watch

MAX_JPEG_CHARS = 300_000  # in base64: 225 kB
MAX_PIXELS = 1_000_000
MAX_VISITOR_CHARS = 64
WATCH_TIMEOUT_S = 2.0
CLASSIFYING_S = 5.0
TROUBLE_S = 20.0  # less than the service manager waits before it starts the page anew

Reply = dict[str, object]


class Refused(EdgeAppError):
    """A message that is not what the page's script sends."""


@dataclass(frozen=True)
class Message:
    """What the script sends: who it is, what is wished, and a frame (base64 JPEG) or the number of the last sight.

    ``still``: the frame is a single picture, to be answered without regard to those before. ``show_input``: the
    answer is to hold what the model saw. ``show_place``: it is to tell where the frame lies on the map of ``axis``;
    ``show_parts``: which parts of it mattered.
    """

    visitor: str
    wish: Wish
    jpeg: str
    after: int
    still: bool
    show_input: bool
    show_place: bool
    show_parts: bool
    axis: Axis


class Desk:
    """Answers the page's script. ``watch`` is the device's own camera, None when browsers bring theirs."""

    def __init__(
        self, models: list[str], classifiers: Classifiers, watch: Watch | None, max_fps: float | None = None
    ) -> None:
        self._models, self._classifiers, self._watch = models, classifiers, watch
        between_s = 1 / max_fps if max_fps else 0.0  # a place outlives the wait for the next frame
        self._places = Places(time.monotonic, lease_s=LEASE_S + between_s, max_fps=max_fps or MAX_FPS)
        self._answers = 0
        self._answered_s: float | None = None
        self._trouble, self._troubled_s = "", 0.0  # what went wrong since the last answer, and when
        self._speeds = Speeds(models)
        self._atlas = Atlas(classifiers)

    def classify_frame(self, message: object) -> Reply:
        """A frame of the browser's camera -> its answer."""
        return self._answer(message, self._classify)

    def watch_camera(self, message: object) -> Reply:
        """The number of the last sight of the device's camera -> the next sight and its answer."""
        return self._answer(message, self._look)

    def model_speeds(self) -> Reply:
        """Milliseconds of one inference by model; empty if one cannot be loaded, which a frame's answer will say."""
        try:
            return dict(self._speeds.all_ms())
        except EdgeAppError:
            return {}

    def known_garments(self, message: object) -> Reply:
        """``model`` and ``axis`` -> the map that the frames' places are on."""
        try:
            if not isinstance(message, dict):
                raise Refused("the message is not an object")
            return self._atlas.garments(_model(message, self._models), _axis(message))
        except EdgeAppError as error:
            return {"error": True, "words": str(error)}

    def health(self) -> Reply:
        """Whether frames are being classified: what `/healthz` tells.

        Not ``ok`` while questions fail on this side; that the last of those who left met trouble is soon forgotten.
        """
        trouble = self._trouble if time.monotonic() - self._troubled_s < TROUBLE_S else ""
        since_s = None if self._answered_s is None else time.monotonic() - self._answered_s
        return {
            "ok": not trouble,
            "trouble": trouble,
            "classifying": since_s is not None and since_s < CLASSIFYING_S,
            "answers": self._answers,
            "seconds_since_answer": since_s,
        }

    def _be_in_trouble(self, words: str) -> None:
        self._trouble, self._troubled_s = words, time.monotonic()

    def _answer(self, message: object, work: Callable[[Message, Place], Reply]) -> Reply:
        started = time.perf_counter()
        try:
            request = read_message(message, self._models)
            with self._places.frame(request.visitor) as place:
                reply = work(request, place)
        except Busy as error:
            return _trouble("busy", str(error), again=isinstance(error, StillLooking | TooSoon))
        except NotYet as error:
            return _trouble("looking", str(error), again=True)
        except CameraError as error:
            if not isinstance(error, BlankPicture):  # in the dark all is well
                self._be_in_trouble("the camera gives no pictures")  # no more: its address is nobody else's business
            return _trouble("camera lost", str(error), given_up=isinstance(error, GaveUp))
        except EdgeAppError as error:
            return _trouble("refused", str(error))
        except Exception:
            logging.getLogger(__name__).exception("a frame could not be answered")
            self._be_in_trouble("a frame could not be answered")
            return _trouble("refused", "something went wrong with this picture; the terminal says what")
        self._answers, self._answered_s, self._trouble = self._answers + 1, time.monotonic(), ""
        return {**reply, "held_ms": 1e3 * (time.perf_counter() - started)}

    def _classify(self, message: Message, place: Place) -> Reply:
        captured_s = time.monotonic()
        started = time.perf_counter()
        frame_rgb = decode_jpeg(message.jpeg)
        decode_ms = 1e3 * (time.perf_counter() - started)
        classifier = self._classifiers.get(message.wish.model)
        if place.pipeline is None or place.pipeline.wish != message.wish or message.still:
            place.pipeline = Pipeline(classifier, message.wish)
        seen = look(classifier, frame_rgb, message.wish.region)
        return self._shown(message, place.pipeline.answer(seen, captured_s), decode_ms)

    def _look(self, message: Message, _: Place) -> Reply:
        if self._watch is None:
            raise Refused("this page uses the browser's own camera")
        # Visitors name themselves: not to be taken for one of the device's own watchers.
        watcher = f"visitor {message.visitor}"
        sight = self._watch.look(watcher, message.wish, message.after, WATCH_TIMEOUT_S)
        return {
            **self._shown(message, sight.answers[message.wish], 0.0),
            "number": sight.number,
            "dropped": sight.dropped,
            "jpeg": sight.jpeg,
            "age_ms": 1e3 * (time.monotonic() - sight.captured_s),
        }

    def _shown(self, message: Message, answer: Answer, decode_ms: float) -> Reply:
        stages_ms = {"decode_ms": decode_ms, **asdict(answer.latency)}
        latency = {"latency_ms": sum(stages_ms.values()), "stages": stages_ms}
        shown: Reply = {"model": answer.model, **asdict(answer.view), **latency}
        if message.show_input:
            shown["input"] = to_png(answer.pixels)
        if message.show_place:
            shown["place"] = self._atlas.place(answer.model, message.axis, answer.features)
        if message.show_parts:
            shown["parts"] = to_png(what_mattered(self._classifiers.get(answer.model), answer))
        return shown


def read_message(message: object, models: list[str]) -> Message:
    """Checks what a script sent. Raises Refused; nothing is decoded before its size is known to be small."""
    if not isinstance(message, dict):
        raise Refused("the message is not an object")
    visitor = message.get("visitor")
    jpeg, after = message.get("jpeg", ""), message.get("after", 0)
    if not isinstance(visitor, str) or not 0 < len(visitor) <= MAX_VISITOR_CHARS:
        raise Refused("the message does not say who sends it")
    model = _model(message, models)
    if not isinstance(jpeg, str) or not isinstance(after, int):
        raise Refused("the message holds no picture")
    if len(jpeg) > MAX_JPEG_CHARS:
        raise Refused(f"the picture is larger than {MAX_JPEG_CHARS * 3 // 4 // 1000} kB")
    threshold, region = message.get("threshold"), message.get("region")
    wish = Wish(
        model,
        WHOLE if region is None else Region(*(_share(number) for number in _four(region))),
        None if threshold is None else _share(threshold),
    )
    wanted = {name: message.get(name) is True for name in ("still", "show_input", "show_place", "show_parts")}
    return Message(visitor, wish, jpeg, after, **wanted, axis=_axis(message))


def _model(message: dict[object, object], models: list[str]) -> str:
    model = message.get("model")
    if not isinstance(model, str) or model not in models:
        raise Refused("there is no such model; choose one of the list")
    return model


def _axis(message: dict[object, object]) -> Axis:
    axis = message.get("axis")
    if axis is None:
        return None
    if not isinstance(axis, list) or len(axis) != 2 or not all(isinstance(name, str) for name in axis):
        raise Refused("an axis is two names")
    return axis[0], axis[1]


def _four(region: object) -> list[object]:
    if not isinstance(region, list) or len(region) != 4:
        raise Refused("the region is not left, top, width and height")
    return region


def _share(number: object) -> float:
    if not isinstance(number, int | float) or not 0 <= number <= 1:
        raise Refused("a threshold, or a side of the region, is not a number from 0 to 1")
    return float(number)


def decode_jpeg(jpeg: str) -> UInt8:
    """A picture as the script sends it, a JPEG in base64 -> frame_rgb, uint8 (H, W, 3), 0..255, upright.

    Raises Refused for what is none: other formats hold more that takes time. Raises what `decode_bytes` raises.
    """
    try:
        content = base64.b64decode(jpeg, validate=True)
    except ValueError as error:
        raise Refused("the picture is not base64") from error
    if not content.startswith(JPEG):
        raise Refused("the picture is not a JPEG")
    return decode_bytes(content, max_pixels=MAX_PIXELS, name="the camera's picture")


def to_png(pixels: UInt8) -> str:
    """What a model sees, uint8 (H, W, 1) grey or (H, W, 3) RGB -> base64 PNG of the same size."""
    _, png = cv2.imencode(".png", pixels if pixels.shape[2] == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return base64.b64encode(png.tobytes()).decode("ascii")


def _trouble(state: str, words: str, given_up: bool = False, again: bool = False) -> Reply:
    """`given_up`: it won't get better by asking on; `again`: ask again in a moment, there is nothing to say."""
    return {"error": True, "state": state, "words": f"{state}: {words}", "given_up": given_up, "again": again}
