"""Several models on the device's own camera: each in its own time."""

import threading
import time

import pytest
from stills import Still, Waking
from waiting import wait_until

from edge_app.cameras.base import UInt8
from edge_app.classifier import Classifier
from edge_app.errors import CameraError
from edge_app.models import contracts
from edge_app.page.frames import Desk
from edge_app.pipeline import Classifiers, Look, Wish, look
from edge_app.region import WHOLE, Region
from edge_app.watch import NotYet, Watch


def test_a_model_looks_once_whatever_thresholds_are_wished(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Region] = []

    def counted(classifier: Classifier, frame_rgb: UInt8, region: Region) -> Look:
        looks.append(region)
        return look(classifier, frame_rgb, region)

    monkeypatch.setattr("edge_app.watch.look", counted)
    model = contracts()[0].name
    part = Region(0.25, 0.25, 0.5, 0.5)
    wishes = {"ann": Wish(model), "bob": Wish(model, threshold=0.9), "eve": Wish(model, part)}
    watch = Watch(Still, Classifiers())
    try:
        for watcher, wish in wishes.items():
            sight = watch.look(watcher, wish, after=0, timeout_s=10)
        assert set(sight.answers) == {*wishes.values()}
        assert sorted(looks[-2:], key=lambda region: region.left) == [WHOLE, part]
    finally:
        watch.close()


def test_nobody_waits_for_a_slower_model_than_his(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = (contract.name for contract in contracts()[:2])
    slow_may_end = threading.Event()

    def held(classifier: Classifier, frame_rgb: UInt8, region: Region) -> Look:
        if classifier.contract.name == slow:
            slow_may_end.wait(30)
        return look(classifier, frame_rgb, region)

    monkeypatch.setattr("edge_app.watch.look", held)
    watch = Watch(Waking, Classifiers())
    try:
        with pytest.raises(NotYet):
            watch.look("ann", Wish(slow), after=0, timeout_s=0.2)
        number = 0
        for _ in range(3):
            sight = watch.look("bob", Wish(quick), after=number, timeout_s=10)
            number = sight.number
        assert set(sight.answers) == {Wish(quick)}
        slow_may_end.set()
        assert set(watch.look("ann", Wish(slow), after=0, timeout_s=10).answers) == {Wish(slow)}
    finally:
        slow_may_end.set()
        watch.close()


def test_who_returns_to_a_model_is_shown_no_old_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is still at a picture of before when it is wished again."""
    slow, quick = (contract.name for contract in contracts()[:2])
    may_end = threading.Event()
    looks: list[str] = []

    def held(classifier: Classifier, frame_rgb: UInt8, region: Region) -> Look:
        looks.append(classifier.contract.name)
        if looks[-1] == slow and looks.count(slow) == 2:
            may_end.wait(30)
        return look(classifier, frame_rgb, region)

    monkeypatch.setattr("edge_app.watch.look", held)
    watch = Watch(Still, Classifiers())
    try:
        watch.look("ann", Wish(slow), after=0, timeout_s=10)
        wait_until(lambda: looks.count(slow) == 2)
        number = watch.look("ann", Wish(quick), after=0, timeout_s=10).number
        with pytest.raises(NotYet):
            watch.look("ann", Wish(slow), after=number, timeout_s=0.2)
        may_end.set()
        watch.look("ann", Wish(slow), after=number, timeout_s=10)
    finally:
        may_end.set()
        watch.close()


def test_what_passes_while_a_model_is_at_others_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = (contract.name for contract in contracts()[:2])

    def in_time(classifier: Classifier, frame_rgb: UInt8, region: Region) -> Look:
        time.sleep(0.3 if classifier.contract.name == slow else 0)
        return look(classifier, frame_rgb, region)

    monkeypatch.setattr("edge_app.watch.look", in_time)
    watch = Watch(Still, Classifiers())
    try:
        watch.look("bob", Wish(quick), after=0, timeout_s=10)  # what he has seen is dropped for ann all the same
        first = watch.look("ann", Wish(slow), after=0, timeout_s=10)
        second = watch.look("ann", Wish(slow), after=first.number, timeout_s=10)
        assert first.dropped == 0
        assert second.dropped == second.number - first.number - 1 > 0
    finally:
        watch.close()


def test_a_camera_that_hangs_is_lost_to_every_model(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()

    class Hanging(Still):
        def read(self) -> UInt8:
            if self.frames == 5:
                goes_on.wait(30)
            self.frames += 1
            return super().read()

        frames = 0

    monkeypatch.setattr("edge_app.cameras.capture.STALLED_S", 0.5)
    one, other = (contract.name for contract in contracts()[:2])
    watch = Watch(Hanging, Classifiers())
    try:
        number = watch.look("ann", Wish(one), after=0, timeout_s=10).number
        for model in (one, other, one):
            with pytest.raises(CameraError):
                for _ in range(10):  # the first pictures
                    number = watch.look("ann", Wish(model), after=number, timeout_s=1).number
    finally:
        goes_on.set()
        watch.close()


def test_a_slow_model_is_no_lost_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(classifier: Classifier, frame_rgb: UInt8, region: Region) -> Look:
        time.sleep(0.6)
        return look(classifier, frame_rgb, region)

    monkeypatch.setattr("edge_app.watch.look", slow)
    name, classifiers = contracts()[0].name, Classifiers()
    watch = Watch(Still, classifiers)
    monkeypatch.setattr("edge_app.page.frames.WATCH_TIMEOUT_S", 0.2)
    desk = Desk([name], classifiers, watch)
    try:
        number = watch.look("ann", Wish(name), after=0, timeout_s=10).number
        with pytest.raises(NotYet):
            watch.look("ann", Wish(name), after=number, timeout_s=0.2)
        reply = desk.watch_camera({"visitor": "reports", "model": name, "after": number})
        assert (reply["again"], desk.health()["ok"]) == (True, True)
        assert set(watch._wanted) == {"ann", "visitor reports"}  # who calls himself so is not the device's own watcher
    finally:
        watch.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_model_that_fails_is_no_camera_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(classifier: Classifier, frame_rgb: UInt8, region: Region) -> Look:
        if classifier.contract.name == name:
            raise RuntimeError("out of memory")
        return look(classifier, frame_rgb, region)

    monkeypatch.setattr("edge_app.watch.look", failing)
    monkeypatch.setattr("edge_app.page.frames.WATCH_TIMEOUT_S", 0.5)
    (name, other), classifiers = (contract.name for contract in contracts()[:2]), Classifiers()
    watch = Watch(Still, classifiers)
    desk = Desk([name], classifiers, watch)
    try:
        wait_until(lambda: desk.watch_camera({"visitor": "ann", "model": name, "after": 0})["state"] == "camera lost")
        assert not desk.health()["ok"]
        watch.look("bob", Wish(other), after=0, timeout_s=10)  # who has chosen another one sees on
        wait_until(lambda: desk.watch_camera({"visitor": "ann", "model": name, "after": 0})["state"] == "camera lost")
    finally:
        watch.close()
