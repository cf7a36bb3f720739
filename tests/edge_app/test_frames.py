"""What the page's script may ask, and what it is told when it may not."""

import base64
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from sent import sent, sent_drawing

from edge_app.cameras.opening import open_camera
from edge_app.errors import BlankPicture, CameraError
from edge_app.models import assets_dir, default_model
from edge_app.page.frames import MAX_JPEG_CHARS, Desk, Refused, Reply, read_message, to_png
from edge_app.page.places import Busy, Places, StillLooking, TooSoon
from edge_app.pipeline import Classifiers, Pipeline, Wish
from edge_app.pixels import UInt8
from edge_app.region import Region
from edge_app.watch import Sight, Watch


class Clock:
    """Seconds, moved on by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_place_is_kept_until_its_lease_has_run_out() -> None:
    clock = Clock()
    places = Places(clock, limit=2, lease_s=5.0)
    for visitor in ("ann", "bob"):
        with places.frame(visitor):
            pass
    with pytest.raises(Busy, match="2 people"), places.frame("cat"):
        pass
    clock.now_s = 4.9
    with places.frame("ann"):
        pass
    clock.now_s = 5.0  # bob's lease ends, ann's lasts until 9.9
    with places.frame("cat"):
        pass
    with pytest.raises(Busy), places.frame("bob"):
        pass


def test_a_visitor_has_one_frame_in_flight_and_keeps_the_place_meanwhile() -> None:
    clock = Clock()
    places = Places(clock, limit=1, lease_s=5.0)
    with places.frame("ann"):
        clock.now_s = 100.0
        with pytest.raises(StillLooking, match="before this one"), places.frame("ann"):
            pass
        with pytest.raises(Busy, match="1 people"), places.frame("bob"):
            pass
    with places.frame("ann"):
        pass


def test_what_a_visitor_remembers_goes_with_the_place() -> None:
    clock = Clock()
    places = Places(clock, lease_s=5.0)
    pipeline = Pipeline(Classifiers().get(default_model()), Wish(default_model()))
    with places.frame("ann") as place:
        place.pipeline = pipeline
    with places.frame("ann") as place:
        assert place.pipeline is pipeline
    clock.now_s = 5.0
    with places.frame("ann") as place:
        assert place.pipeline is None


def test_a_visitor_may_send_so_many_frames_a_second() -> None:
    clock = Clock()
    places = Places(clock, max_fps=2.0)
    for visitor in ("ann", "ann", "bob"):  # two at once, each
        with places.frame(visitor):
            pass
    clock.now_s = 0.25  # half a frame earned
    with pytest.raises(TooSoon), places.frame("ann"):
        pass
    clock.now_s = 0.5
    with places.frame("ann"):
        pass
    with pytest.raises(TooSoon), places.frame("ann"):
        pass


def test_a_visitor_may_send_a_frame_in_ten_seconds() -> None:
    clock = Clock()
    places = Places(clock, lease_s=60.0, max_fps=0.125)
    with places.frame("ann"):
        pass
    clock.now_s = 7.9
    with pytest.raises(TooSoon), places.frame("ann"):
        pass
    clock.now_s = 8.0
    with places.frame("ann"):
        pass


def test_a_slow_pages_visitors_keep_their_places_between_two_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("edge_app.page.frames.time.monotonic", clock)
    desk = Desk([default_model()], Classifiers(), watch=None, max_fps=0.1)
    message = {"visitor": "ann", "model": default_model(), "jpeg": ""}
    assert desk.classify_frame(message)["state"] == "refused"  # an empty picture, but it counts
    clock.now_s = 9.9
    assert desk.classify_frame(message)["again"]
    clock.now_s = 10.0
    assert desk.classify_frame(message)["state"] == "refused"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (None, "not an object"),
        ([1], "not an object"),
        ({}, "who sends it"),
        ({"visitor": "", "model": "m"}, "who sends it"),
        ({"visitor": "a" * 65, "model": "m"}, "who sends it"),
        ({"visitor": "a", "model": "../m"}, "no such model"),
        ({"visitor": "a", "model": ["m"]}, "no such model"),
        ({"visitor": "a", "model": "m", "jpeg": 5}, "no picture"),
        ({"visitor": "a", "model": "m", "after": "1"}, "no picture"),
        ({"visitor": "a", "model": "m", "threshold": "1"}, "from 0 to 1"),
        ({"visitor": "a", "model": "m", "threshold": float("nan")}, "from 0 to 1"),
        ({"visitor": "a", "model": "m", "region": [0, 0, 1]}, "left, top, width and height"),
        ({"visitor": "a", "model": "m", "region": [0, 0, 1, 1.1]}, "from 0 to 1"),
        ({"visitor": "a", "model": "m", "jpeg": "A" * (MAX_JPEG_CHARS + 1)}, "larger than 225 kB"),
    ],
)
def test_messages_no_script_of_ours_sends_are_refused(message: object, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_message(message, ["m"])


def test_a_message_says_what_is_wished() -> None:
    message = read_message({"visitor": "a", "model": "m"}, ["m"])
    assert (message.wish, message.still, message.show_input) == (Wish("m"), False, False)
    choices = {"region": [0.5, 0, 0.25, 1], "threshold": 0.75, "still": True, "show_input": True}
    message = read_message({"visitor": "a", "model": "m", **choices}, ["m"])
    assert message.wish == Wish("m", Region(0.5, 0.0, 0.25, 1.0), 0.75)
    assert (message.still, message.show_input) == (True, True)


def grey(width: int, height: int) -> UInt8:
    return np.full((height, width), 128, dtype=np.uint8)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: "%%%", "not base64"),
        (lambda: "é", "not base64"),
        (lambda: "", "not a JPEG"),
        (lambda: base64.b64encode(b"no picture").decode(), "not a JPEG"),
        (lambda: sent(grey(8, 8), ".png"), "the picture is not a JPEG"),
        (lambda: sent(grey(3000, 2000)), "3000x2000 pixels, more than 1 million"),
        (lambda: sent(grey(640, 480))[:1200], "damaged or truncated"),
    ],
)
def test_pictures_that_cannot_be_read_are_answered_in_words(make: Callable[[], str], words: str) -> None:
    desk = Desk(["m"], Classifiers(), watch=None)
    reply = desk.classify_frame({"visitor": "a", "model": "m", "jpeg": make()})
    assert (reply["error"], reply["state"]) == (True, "refused")
    assert words in str(reply["words"]) and str(reply["words"]).startswith("refused: ")


def test_a_page_whose_last_question_is_still_open_may_ask_again() -> None:
    replies: list[Reply] = []

    class Curious(Watch):
        def look(self, watcher: str, wish: Wish, after: int, timeout_s: float) -> Sight:
            replies.append(desk.watch_camera({"visitor": "a", "model": "m"}))
            raise CameraError("dark")

    desk = Desk(["m"], Classifiers(), Curious(lambda: open_camera("auto"), Classifiers()))
    first = desk.watch_camera({"visitor": "a", "model": "m"})
    assert (first["state"], first["again"]) == ("camera lost", False)
    assert [(reply["state"], reply["again"]) for reply in replies] == [("busy", True)]


def test_a_full_house_is_busy_and_a_missing_camera_is_said() -> None:
    desk = Desk(["m"], Classifiers(), watch=None)
    for number in range(8):
        assert desk.classify_frame({"visitor": str(number), "model": "m"})["state"] == "refused"
    reply = desk.classify_frame({"visitor": "ninth", "model": "m"})
    assert reply["words"] == "busy: 8 people are looking already; it goes on when one of them leaves"
    reply = desk.watch_camera({"visitor": "0", "model": "m"})
    assert reply["words"] == "refused: this page uses the browser's own camera"


def test_a_still_picture_is_answered_without_regard_to_those_before() -> None:
    desk = Desk([default_model()], Classifiers(), watch=None)
    message = {"visitor": "a", "model": default_model()}
    trouser, bag = ({**message, "jpeg": sent_drawing(name)} for name in ("trouser", "bag"))
    for _ in range(2):
        assert desk.classify_frame(trouser)["answer"] == "Trouser"
    assert desk.classify_frame(bag)["answer"] == "Trouser"  # one frame is no change yet
    assert desk.classify_frame({**bag, "still": True})["answer"] == "Bag"


def test_the_region_and_the_threshold_are_the_visitors() -> None:
    desk = Desk([default_model()], Classifiers(), watch=None)
    frame_bgr = np.full((480, 960, 3), 255, dtype=np.uint8)
    for column, name in enumerate(("trouser", "bag")):
        drawing_bgr = cv2.imread(str(assets_dir() / "examples" / f"{name}.png"), cv2.IMREAD_COLOR)
        assert drawing_bgr is not None
        frame_bgr[:, 480 * column : 480 * (column + 1)] = drawing_bgr
    message = {"visitor": "a", "model": default_model(), "jpeg": sent(frame_bgr), "still": True}
    for left, name in ((0.0, "Trouser"), (0.5, "Bag")):
        assert desk.classify_frame({**message, "region": [left, 0, 0.5, 1]})["answer"] == name
    reply = desk.classify_frame({**message, "region": [0, 0, 0.5, 1], "threshold": 1})
    assert (reply["answer"], reply["state"]) == ("", "unsure")


def test_what_the_model_saw_is_told_when_it_is_asked_for() -> None:
    desk = Desk([default_model()], Classifiers(), watch=None)
    message = {"visitor": "a", "model": default_model(), "jpeg": sent_drawing("trouser")}
    reply = desk.classify_frame(message)
    stages = reply["stages"]
    assert isinstance(stages, dict)
    assert list(stages) == ["decode_ms", "preprocess_ms", "invoke_ms", "decide_ms"]
    assert reply["latency_ms"] == pytest.approx(sum(stages.values()))
    assert "input" not in reply
    png = base64.b64decode(str(desk.classify_frame({**message, "show_input": True})["input"]))
    height, width, _ = Classifiers().get(default_model()).contract.input.shape
    seen = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert seen is not None and seen.shape[:2] == (height, width)


def test_what_the_model_saw_keeps_its_colours() -> None:
    red = np.full((4, 4, 3), (250, 0, 0), dtype=np.uint8)
    seen_bgr = cv2.imdecode(np.frombuffer(base64.b64decode(to_png(red)), np.uint8), cv2.IMREAD_COLOR)
    assert seen_bgr is not None and seen_bgr[0, 0].tolist() == [0, 0, 250]


def test_health_tells_of_trouble_until_the_next_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Watch):
        def look(self, watcher: str, wish: Wish, after: int, timeout_s: float) -> Sight:
            raise CameraError("camera 0: unplugged")

    class Dark(Watch):
        def look(self, watcher: str, wish: Wish, after: int, timeout_s: float) -> Sight:
            raise BlankPicture("camera 0: its picture is black")

    message = {"visitor": "a", "model": default_model(), "jpeg": sent_drawing("bag")}
    night = Desk([default_model()], Classifiers(), Dark(lambda: open_camera("auto"), Classifiers()))
    assert night.watch_camera(message)["words"] == "camera lost: camera 0: its picture is black"
    assert night.health()["ok"] is True  # nothing that starting it anew would mend
    desk = Desk([default_model()], Classifiers(), Broken(lambda: open_camera("auto"), Classifiers()))
    desk.watch_camera(message)
    assert (desk.health()["ok"], desk.health()["trouble"]) == (False, "the camera gives no pictures")
    desk.classify_frame({**message, "jpeg": ""})  # what a visitor does wrong is no trouble of the server's
    assert desk.health()["ok"] is False
    desk.classify_frame(message)
    assert (desk.health()["ok"], desk.health()["answers"], desk.health()["classifying"]) == (True, 1, True)
    desk.watch_camera(message)
    assert desk.health()["ok"] is False
    monkeypatch.setattr("edge_app.page.frames.TROUBLE_S", 0.0)  # its visitor has left long ago
    assert desk.health()["ok"] is True
