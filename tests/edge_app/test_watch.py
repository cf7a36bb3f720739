"""The device's own camera, opened and classified only while somebody looks."""

import base64
import itertools
import threading
import time

import cv2
import numpy as np
import pytest
from stills import Still, Waking
from waiting import wait_until

from edge_app.cameras.base import UInt8
from edge_app.cameras.capture import Restarts
from edge_app.cameras.checked import Checked
from edge_app.errors import CameraError
from edge_app.models import contracts
from edge_app.page.frames import Desk
from edge_app.pipeline import Classifiers, Wish
from edge_app.watch import GaveUp, Watch, to_jpeg


@pytest.fixture
def still() -> type[Still]:
    Still.opened = Still.closed = 0
    return Still


def captured_s(watch: Watch, wish: Wish, seconds: float) -> list[float]:
    """Looks for so long; when what was seen had been captured."""
    times_s, number, end_s = [], 0, time.monotonic() + seconds
    while time.monotonic() < end_s:
        sight = watch.look("ann", wish, number, timeout_s=10)
        number = sight.number
        times_s.append(sight.captured_s)
    return times_s


def look_fails_with(watch: Watch, model: str) -> type[CameraError]:
    with pytest.raises(CameraError, match="camera") as failed:
        watch.look("ann", Wish(model), after=0, timeout_s=0.1)
    return failed.type


def test_every_look_gives_a_newer_picture_and_its_answer(still: type[Still]) -> None:
    model = contracts()[0].name
    watch = Watch(still, Classifiers())
    try:
        first = watch.look("ann", Wish(model), after=0, timeout_s=10)
        second = watch.look("ann", Wish(model), after=first.number, timeout_s=10)
        assert second.number > first.number
        assert 0 <= time.monotonic() - second.captured_s < 10
        assert second.answers[Wish(model)].model == model
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(second.jpeg), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (360, 480, 3) and np.abs(picture.astype(int) - 100).max() <= 1
    finally:
        watch.close()
    assert (still.opened, still.closed) == (1, 1)


def test_it_rests_while_nothing_moves_and_is_awake_within_three_tenths_of_a_second() -> None:
    camera, wish = Waking(), Wish(contracts()[0].name)
    watch = Watch(lambda: camera, Classifiers())
    try:
        captured_s(watch, wish, 2.5)
        resting_s = captured_s(watch, wish, 3)
        gaps_s = [later - sooner for sooner, later in itertools.pairwise(resting_s)]
        assert 5 <= len(gaps_s) <= 7 and all(0.4 < gap_s < 0.6 for gap_s in gaps_s)
        number = watch.look("ann", wish, after=0, timeout_s=10).number
        began_s, camera.moves = time.monotonic(), True
        watch.look("ann", wish, after=number, timeout_s=10)
        assert time.monotonic() - began_s < 0.3
        assert len(captured_s(watch, wish, 1)) >= 15
    finally:
        watch.close()


def test_the_camera_is_let_go_when_nobody_looks_and_opened_again(
    still: type[Still], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.watch.UNWATCHED_S", 0.2)
    model = contracts()[0].name
    watch = Watch(still, Classifiers())
    try:
        watch.look("ann", Wish(model), after=0, timeout_s=10)
        wait_until(lambda: still.closed == 1)
        watch.look("ann", Wish(model), after=0, timeout_s=10)
        assert still.opened == 2
    finally:
        watch.close()
    assert still.closed == 2


def test_numbers_rise_when_the_camera_is_opened_again(still: type[Still], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.watch.UNWATCHED_S", 0.2)
    wish = Wish(contracts()[0].name)
    watch = Watch(still, Classifiers())
    try:
        wait_until(lambda: watch.look("ann", wish, after=0, timeout_s=10).number >= 10)
        wait_until(lambda: still.closed == 1)
        assert watch.look("ann", wish, after=0, timeout_s=10).number > 10
    finally:
        watch.close()


def test_a_rate_below_that_of_those_who_look_loses_no_camera(
    still: type[Still], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.watch.UNWATCHED_S", 0.2)
    wish, interval_s = Wish(contracts()[0].name), 1.0
    watch = Watch(still, Classifiers(), interval_s)
    try:
        first = watch.look("ann", wish, after=0, timeout_s=10)
        second = watch.look("ann", wish, after=first.number, timeout_s=0.5)  # the next is due in a second
        time.sleep(interval_s)  # as the page waits, longer than UNWATCHED_S
        third = watch.look("ann", wish, after=second.number, timeout_s=0.5)
        assert [second.captured_s - first.captured_s, third.captured_s - first.captured_s] == pytest.approx(
            [interval_s, 2 * interval_s], abs=0.3
        )
    finally:
        watch.close()
    assert still.opened == 1


def test_a_camera_that_takes_long_to_open_is_no_lost_camera(
    still: type[Still], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = threading.Event()

    def slowly() -> Still:
        assert opened.wait(30)
        return still()

    monkeypatch.setattr("edge_app.page.frames.WATCH_TIMEOUT_S", 0.1)
    name, classifiers = contracts()[0].name, Classifiers()
    watch = Watch(slowly, classifiers)
    desk = Desk([name], classifiers, watch)
    message = {"visitor": "ann", "model": name, "after": 0}
    try:
        for _ in range(3):
            assert desk.watch_camera(message)["words"] == "looking: the camera has no new picture yet"
        assert desk.health()["ok"]
        monkeypatch.setattr("edge_app.cameras.capture.OPENING_S", 0.1)
        assert desk.watch_camera(message)["words"] == "camera lost: the camera gives no picture"
        assert not desk.health()["ok"]
        opened.set()
        wait_until(lambda: "error" not in desk.watch_camera(message))
    finally:
        opened.set()
        watch.close()


def test_at_night_the_page_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Black pictures are told of, and the camera is opened again and again; nobody is to end the service for it."""
    monkeypatch.setattr("edge_app.page.frames.WATCH_TIMEOUT_S", 0.1)
    monkeypatch.setattr("edge_app.cameras.checked.BLANK_S", 0.5)
    monkeypatch.setattr("edge_app.watch.RESTARTS", Restarts(budget=1, pause_s=0.05))

    class Night(Still):
        def read(self) -> UInt8:
            return np.zeros_like(super().read())

    name, classifiers = contracts()[0].name, Classifiers()
    watch = Watch(lambda: Checked(Night(), "camera 0"), classifiers)
    desk = Desk([name], classifiers, watch)
    message = {"visitor": "ann", "model": name, "after": 0}
    try:
        wait_until(lambda: "is black" in str(desk.watch_camera(message)["words"]))
        opened, end_s = Still.opened, time.monotonic() + 2
        while time.monotonic() < end_s:
            assert "is black" in str(desk.watch_camera(message)["words"])
            assert desk.health()["ok"]
            time.sleep(0.02)
        assert Still.opened >= opened + 2
    finally:
        watch.close()


def test_a_stream_with_seconds_between_its_pictures_is_no_lost_camera(
    still: type[Still], monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, ended = threading.Event(), threading.Event()

    class Slow(Still):
        def read(self) -> UInt8:
            time.sleep(1)
            if hangs.is_set():
                ended.wait(30)
            return super().read()

    monkeypatch.setattr("edge_app.page.frames.WATCH_TIMEOUT_S", 0.1)
    name, classifiers = contracts()[0].name, Classifiers()
    watch = Watch(Slow, classifiers)
    desk = Desk([name], classifiers, watch)
    seen: list[int] = []

    def look() -> dict[str, object]:
        return desk.watch_camera({"visitor": "ann", "model": name, "after": seen[-1] if seen else 0})

    try:
        while len(seen) < 3:
            reply = look()
            assert "error" not in reply or reply["again"]
            if "error" not in reply:
                assert isinstance(reply["number"], int)
                seen.append(reply["number"])
        hangs.set()
        monkeypatch.setattr("edge_app.cameras.capture.STALLED_S", 0.2)
        while "error" not in (reply := look()):
            seen.append(int(str(reply["number"])))
        wait_until(lambda: look().get("words") == "camera lost: the camera gives no picture")
    finally:
        ended.set()
        watch.close()


def test_a_camera_that_fails_is_said_and_given_up_until_somebody_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.watch.RESTARTS", Restarts(budget=1, pause_s=0.01))
    monkeypatch.setattr("edge_app.watch.FRAME_TIMEOUT_S", 0.05)
    tries: list[int] = []

    def unplugged() -> Still:
        tries.append(len(tries))
        raise CameraError("camera 0: cannot be opened")

    model = contracts()[0].name
    watch = Watch(unplugged, Classifiers())
    try:
        for tried in (2, 4):  # each time once, and once again
            wait_until(lambda: look_fails_with(watch, model) is GaveUp)
            assert len(tries) == tried
            wait_until(lambda: not watch.watching)
    finally:
        watch.close()


class Pulled(Still):
    """Gives its picture while it is plugged in."""

    def __init__(self, unplugged: threading.Event) -> None:
        super().__init__()
        self._unplugged = unplugged

    def read(self) -> UInt8:
        if self._unplugged.is_set():
            raise CameraError("camera 0: gives no more pictures")
        return super().read()


def test_a_camera_that_works_again_can_be_started_as_soon_as_it_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.watch.RESTARTS", Restarts(budget=1, pause_s=0.01))
    unplugged = threading.Event()
    wish, everybody = Wish(contracts()[0].name), ("ann", "bob")
    watch = Watch(lambda: Pulled(unplugged), Classifiers())
    try:
        numbers = [watch.look(watcher, wish, after=0, timeout_s=10).number for watcher in everybody]
        unplugged.set()
        wait_until(lambda: watch._capture is not None and watch._capture.gave_up)
        unplugged.clear()
        for watcher in everybody:  # each is told once
            with pytest.raises(GaveUp, match="gives no more pictures"):
                watch.look(watcher, wish, after=0, timeout_s=10)
        for watcher in everybody:
            assert watch.look(watcher, wish, after=0, timeout_s=10).number > max(numbers)
    finally:
        watch.close()


def test_who_comes_while_the_camera_is_in_trouble_is_not_shown_an_old_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.watch.RESTARTS", Restarts(budget=1, pause_s=60))
    unplugged = threading.Event()
    wish = Wish(contracts()[0].name)
    watch = Watch(lambda: Pulled(unplugged), Classifiers())
    try:
        assert watch.look("ann", wish, after=0, timeout_s=10).frame_rgb.shape == (480, 640, 3)
        unplugged.set()
        wait_until(watch._in_trouble)
        with pytest.raises(CameraError, match="gives no more pictures"):
            watch.look("bob", wish, after=0, timeout_s=0.1)
    finally:
        watch.close()


def test_small_pictures_are_shown_as_they_are() -> None:
    data = base64.b64decode(to_jpeg(np.full((30, 40, 3), (250, 0, 0), dtype=np.uint8)))
    picture_bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture_bgr is not None
    assert picture_bgr.shape == (30, 40, 3)
    blue, green, red = (int(value) for value in picture_bgr[15, 20])
    assert red > 240 and green < 10 and blue < 10
