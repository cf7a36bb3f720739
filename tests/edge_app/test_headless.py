"""The app without a page, as a real process: what it prints, how it ends, what a lost camera does to it."""

import contextlib
import itertools
import json
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser import ROOT, drawn
from links import NetworkCameraStandIn

from edge_app import cli
from edge_app.cameras.base import UInt8
from edge_app.cameras.capture import Restarts
from edge_app.cameras.checked import Checked
from edge_app.decide import Decision
from edge_app.errors import CameraError
from edge_app.models import assets_dir, default_model
from edge_app.pipeline import Classifiers, Wish
from edge_app.reports import Ears, Report, follow, of_decision, of_trouble, try_camera
from edge_app.watch import GaveUp, Watch

LINE_TIMEOUT_S = 90.0
GARMENTS = {"1-trouser": "Trouser", "2-bag": "Bag"}
MODEL = "cnn4-fashion-mnist"  # knows drawings


class Headless:
    """`python -m edge_app --no-page` with MODEL, and the objects it prints."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "edge_app", "--no-page", "--model", MODEL, *options]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)

    def next(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self._lines.get(timeout=LINE_TIMEOUT_S))
        return report

    def next_label(self, label: str) -> dict[str, Any]:
        """The next object that names `label`: what comes before it is how the answer turned."""
        while (report := self.next()).get("label") != label:
            pass
        return report

    def memory_mb(self) -> float:
        """The most it has held (VmHWM)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


@contextlib.contextmanager
def headless(*options: str) -> Iterator[Headless]:
    run = Headless(*options)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait(timeout=20)
        run.reader.join(timeout=20)
        assert run.process.stderr is not None
        run.process.stderr.close()


@pytest.fixture
def garments(tmp_path: Path) -> Path:
    """Two drawings, each shown for two seconds, again and again."""
    for name in GARMENTS:
        shutil.copy(assets_dir() / "examples" / f"{name[2:]}.png", tmp_path / f"{name}.png")
    return tmp_path


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_each_change_is_an_object_and_a_signal_ends_it(garments: Path, end: signal.Signals) -> None:
    with headless("--camera", str(garments)) as run:
        reports = [run.next_label(label) for label in ("Trouser", "Bag", "Trouser")]
        memory_mb = run.memory_mb()
        run.process.send_signal(end)
        assert run.process.wait(timeout=20) == 0
        assert run.process.stderr is not None
        assert [line for line in run.process.stderr.read().splitlines() if not line.startswith("INFO: ")] == []
    assert list(reports[0]) == ["time", "model", "label", "confidence", "none"]
    assert {report["model"] for report in reports} == {MODEL}
    assert all(0.4 <= report["confidence"] <= 1 for report in reports)
    times = [datetime.fromisoformat(report["time"]) for report in reports]
    assert all(timedelta(seconds=1) < later - sooner for sooner, later in itertools.pairwise(times))
    assert abs(datetime.now(UTC) - times[-1]) < timedelta(minutes=1)
    assert memory_mb < 150


def test_a_lost_camera_is_told_once_and_opened_again() -> None:
    camera = NetworkCameraStandIn([cv2.imencode(".jpg", drawn("trouser", step))[1].tobytes() for step in range(10)])
    camera.switch_on()
    with headless("--camera", camera.url) as run:
        assert run.next_label("Trouser")["model"] == MODEL
        camera.switch_off()
        lost = run.next()
        assert list(lost) == ["time", "error"]
        shown = camera.url.replace("stream.mjpg", "...")  # a path may hold a password
        assert lost["error"] == f"{shown}: the stream has ended or stopped; check the camera and the network"
        camera.switch_on()
        while "error" in (report := run.next()):  # it may first be tried while it is still off
            pass
        assert report["model"] == MODEL
    camera.switch_off()


class Night:
    """A camera whose pictures are black until it is over."""

    is_over = False

    def read(self) -> UInt8:
        time.sleep(0.002)
        return drawn("trouser", 0) if self.is_over else np.zeros((48, 64, 3), np.uint8)

    def close(self) -> None:
        pass


class Dead:
    """A camera that opens and gives nothing."""

    def read(self) -> UInt8:
        raise CameraError("camera 0: gives no more pictures")

    def close(self) -> None:
        pass


def test_a_dark_room_is_told_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the camera was opened again; and who watches over the service knows that it lives."""
    monkeypatch.setattr("edge_app.watch.RESTARTS", Restarts(budget=1, pause_s=0.01))
    monkeypatch.setattr("edge_app.cameras.checked.BLANK_S", 0.01)
    monkeypatch.setattr("edge_app.reports.RETRY_S", 0.01)
    told: list[Report] = []
    opened: list[Night] = []
    seen: list[float] = []
    stopping = threading.Event()

    def opener() -> Checked:
        opened.append(Night())
        return Checked(opened[-1], "camera 0")

    def dawn() -> None:
        seen.append(time.monotonic())
        if len(opened) >= 5:
            Night.is_over = True
        if told[-1].get("label"):
            stopping.set()

    watch = Watch(opener, Classifiers())
    try:
        follow(watch, Wish(default_model()), Ears(told.append, dawn), stopping)
    finally:
        watch.close()
        Night.is_over = False
    words = "camera 0: its picture is black or of one colour; check its lens cover, cable and the light"
    assert told[0]["error"] == words
    assert [list(report)[1] for report in told[:2]] == ["error", "model"]
    assert len(seen) > 2


def test_a_camera_given_up_is_told_and_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.watch.RESTARTS", Restarts(budget=1, pause_s=0.01))
    monkeypatch.setattr("edge_app.watch.FRAME_TIMEOUT_S", 0.05)
    monkeypatch.setattr("edge_app.reports.RETRY_S", 0.01)
    told: list[Report] = []
    watch = Watch(Dead, Classifiers())
    ears = Ears(told.append, lambda: pytest.fail("nothing was seen"))
    try:
        with pytest.raises(GaveUp, match="camera 0: gives no more pictures"):
            follow(watch, Wish(default_model()), ears, threading.Event())
    finally:
        watch.close()
    assert [report["error"] for report in told] == ["camera 0: gives no more pictures"]


def test_a_file_that_opens_and_has_no_picture_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "noise").mkdir()
    for name in ("noise.jpg", "noise/1.jpg", "noise/2.png"):
        (tmp_path / name).write_bytes(bytes(range(256)))
    film = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"png "), 10, (640, 480))
    film.write(drawn("bag", 0))
    film.release()
    content = (tmp_path / "film.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: content.index(b"movi") + 4])  # before the first frame
    published: list[Report] = []
    try_camera(str(tmp_path / "film.avi"), published.append)
    for name, words in (
        ("noise.jpg", "none of its pictures can be read"),
        ("noise", "none of its pictures can be read"),
        ("cut.avi", "no picture can be read from it; convert it to MP4 or AVI"),
    ):
        assert published == []
        with pytest.raises(CameraError, match=f"{name}: {words}") as told:
            try_camera(str(tmp_path / name), published.append)
        assert published.pop()["error"] == str(told.value)


def test_a_live_cameras_first_picture_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.reports.open_camera", lambda _: Checked(Dead(), "camera 0"))
    try_camera("0", lambda _: pytest.fail("nothing is wrong yet"))


def test_the_objects() -> None:
    taken = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
    probs = {"Bag": 0.87654321, "none": 0.1}
    assert of_decision(taken, "cnn4", Decision("Bag", 0.87654321, probs, 0.1)) == {
        "time": "2026-05-04T03:02:01.123+00:00",
        "model": "cnn4",
        "label": "Bag",
        "confidence": 0.8765,
        "none": 0.1,
    }
    assert of_decision(taken, "cnn4", Decision("unsure", np.float64(0.25), {}, None))["none"] is None
    assert of_trouble(taken, "dark") == {"time": "2026-05-04T03:02:01.123+00:00", "error": "dark"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--camera", "browser"], "--no-page: without a page there is no browser's camera"),
        (["--camera", "/no/such.mp4"], "no such camera, file or folder"),
        (["--camera", "/no/such.mp4", "--model", "cnn9"], "no model 'cnn9'"),
        (["--port", "80"], "--port is an option of the page; leave it or --no-page out"),
        (["--share-camera"], "--share-camera is an option of the page"),
    ],
)
def test_what_cannot_be_done_is_said(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--no-page", *options]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
