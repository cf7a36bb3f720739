"""What the page's script may ask, and what it is told when it may not."""

import base64
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge_app.cameras.opening import open_camera
from edge_app.errors import CameraError
from edge_app.page.frames import MAX_JPEG_CHARS, Desk, Refused, Reply, read_message
from edge_app.page.places import Busy, Places, StillLooking
from edge_app.page.watch import Sight, Watch
from edge_app.pipeline import Classifiers


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
    with places.frame("ann") as place:
        place.model = "cnn1"
    with places.frame("ann") as place:
        assert place.model == "cnn1"
    clock.now_s = 5.0
    with places.frame("ann") as place:
        assert place.model == ""


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
        ({"visitor": "a", "model": "m", "jpeg": "A" * (MAX_JPEG_CHARS + 1)}, "larger than 300 KB"),
    ],
)
def test_messages_no_script_of_ours_sends_are_refused(message: object, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_message(message, ["m"])


def picture(width: int, height: int, kind: str) -> str:
    """A grey picture as base64."""
    written, data = cv2.imencode(kind, np.full((height, width), 128, dtype=np.uint8))
    assert written
    return base64.b64encode(data.tobytes()).decode("ascii")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: "%%%", "not base64"),
        (lambda: "é", "not base64"),
        (lambda: "", "empty"),
        (lambda: base64.b64encode(b"no picture").decode(), "not a JPEG"),
        (lambda: picture(12000, 12000, ".png"), "12000x12000 pixels, more than 1 million"),
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
        def look(self, model: str, after: int, timeout_s: float) -> Sight:
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
