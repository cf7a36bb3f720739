"""Cameras that misbehave, and a Raspberry Pi's camera as its package behaves."""

import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from waiting import wait_until

from edge_app.cameras.base import UInt8
from edge_app.cameras.capture import Capture, Restarts
from edge_app.cameras.checked import Checked, is_blank
from edge_app.cameras.device import first_device, is_forbidden
from edge_app.cameras.opening import open_camera
from edge_app.cameras.picamera import has_pi_camera
from edge_app.errors import BlankPicture, CameraError


def noisy(height: int, width: int, low: int, high: int) -> UInt8:
    """A frame uint8 (height, width, 3) of noise from `low` to `high`."""
    return np.random.default_rng(0).integers(low, high, (height, width, 3), dtype=np.uint8, endpoint=True)


class Scripted:
    """A camera that gives these frames, and then the last of them for ever."""

    def __init__(self, *frames_rgb: UInt8) -> None:
        self._frames = iter(frames_rgb)
        self._last = frames_rgb[-1]
        self.name = "camera 0"
        self.closed = False

    def read(self) -> UInt8:
        return next(self._frames, self._last)

    def close(self) -> None:
        self.closed = True


def test_black_and_one_coloured_frames_are_blank() -> None:
    green = np.full((48, 64, 3), (0, 135, 0), dtype=np.uint8)  # what a decoder makes of an empty YUV picture
    assert [is_blank(frame) for frame in (noisy(48, 64, 0, 6), green, np.full((48, 64, 3), 255, np.uint8))] == [
        True
    ] * 3
    dark = noisy(48, 64, 0, 12)
    bright = noisy(48, 64, 240, 245)
    assert [is_blank(frame) for frame in (dark, bright)] == [False, False]


def test_blank_frames_are_passed_over_and_a_camera_of_nothing_else_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    black, seen = np.zeros((48, 64, 3), dtype=np.uint8), noisy(48, 64, 0, 255)
    camera = Checked(Scripted(black, black, seen), "camera 0")
    assert camera.read() is seen
    monkeypatch.setattr("edge_app.cameras.checked.BLANK_S", 0.01)
    with pytest.raises(BlankPicture, match="camera 0: its picture is black or of one colour; check its lens cover"):
        Checked(Scripted(black), "camera 0").read()


def test_a_dark_camera_works_and_one_that_hangs_after_blank_pictures_soon_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge_app.cameras.checked.BLANK_S", 0.01)
    monkeypatch.setattr("edge_app.cameras.capture.BLANK_LASTS_S", 5.0)
    opened: list[bool] = []  # of each opening, what was said of the camera meanwhile
    ended = threading.Event()

    def opener() -> Checked:
        opened.append(capture.is_blank)
        if len(opened) == 3:
            ended.wait()
        return Checked(Scripted(np.zeros((48, 64, 3), dtype=np.uint8)), "camera 0")

    capture = Capture(opener, Restarts(budget=1, pause_s=0.5))
    capture.start()
    try:
        for count in (1, 2):
            wait_until(lambda count=count: len(opened) == count and capture.is_blank)  # type: ignore[misc]
        wait_until(lambda: len(opened) == 3)
        assert opened == [False, True, True]  # also while it is opened again
        wait_until(lambda: not capture.is_blank)
        assert not capture.gave_up and "its picture is black" in capture.trouble
    finally:
        ended.set()
        capture.close()


def test_a_change_of_size_fails_and_opening_it_again_mends_it() -> None:
    small, large = noisy(48, 64, 0, 255), noisy(96, 128, 0, 255)
    cameras: list[Scripted] = []

    def opener() -> Checked:
        cameras.append(Scripted(small, large) if not cameras else Scripted(large))
        return Checked(cameras[-1], "camera 0")

    troubles: set[str] = set()

    def opened_again() -> bool:
        troubles.add(capture.trouble)
        return len(cameras) == 2

    capture = Capture(opener, Restarts(budget=3, pause_s=0.05))
    capture.start()
    try:
        wait_until(opened_again)
        frame = capture.newest(after=1, timeout_s=10)
    finally:
        capture.close()
    assert frame is not None and frame.frame_rgb.shape == (96, 128, 3)
    assert "camera 0: changed the size of its pictures to 128x96; opened again" in troubles
    assert all(camera.closed for camera in cameras)


class Picamera2:
    """As the real one: formats are named from the end, a frame is awaited, no camera is an empty list, in which those
    at a USB port come last; a camera is opened by its place there.

    What was asked for stands in a queue until it is there, or taken back; `stop` stands behind it, and waits for ever.
    """

    usb: ClassVar = {"Model": "C270", "Id": "/base/axi/pcie@120000/rp1/usb@200000-1:1.0-046d:0825", "Num": 0}
    csi: ClassVar = {"Model": "imx708", "Id": "/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a", "Num": 1}
    cameras: ClassVar = [csi, usb]
    calls: ClassVar[list[object]] = []
    settled: ClassVar = {"ExposureTime": 20_000, "AnalogueGain": 2.0, "ColourGains": (1.5, 1.75), "Lux": 200.0}
    camera_controls: ClassVar = {"AeEnable": (False, True, True), "AwbEnable": (False, True, None)}
    queued = False

    def __init__(self, place: int) -> None:
        assert self.cameras[place] is self.csi

    @classmethod
    def global_camera_info(cls) -> list[dict[str, object]]:
        return cls.cameras

    def create_video_configuration(self, main: dict[str, object]) -> dict[str, object]:
        return main

    def configure(self, video: dict[str, object]) -> None:
        self.calls.append(video)

    def start(self) -> None:
        self.calls.append("start")

    def capture_metadata(self, wait: bool) -> str:
        assert not wait
        return "metadata"

    def set_controls(self, controls: dict[str, object]) -> None:
        self.calls.append(controls)

    def capture_array(self, name: str, wait: bool) -> str:
        assert not wait
        self.queued = True
        return name

    def wait(self, job: str, timeout: float) -> UInt8 | dict[str, object]:
        if self.calls.count("main") == 2:
            raise TimeoutError
        self.calls.append(job)
        self.queued = False
        if job == "metadata":
            return self.settled
        return noisy(480, 640, 0, 255)

    def cancel_all_and_flush(self) -> None:
        self.queued = False

    def stop(self) -> None:
        assert not self.queued
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Picamera2]]:
    # The real package needs a Raspberry Pi's libraries.
    module = types.ModuleType("picamera2")
    monkeypatch.setattr(module, "Picamera2", Picamera2, raising=False)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setattr(Picamera2, "calls", [])
    yield Picamera2


@pytest.mark.parametrize("spec", ["picamera", "auto"])
def test_a_raspberry_pis_camera(picamera2: type[Picamera2], spec: str) -> None:
    camera = open_camera(spec)
    for _ in range(2):
        assert camera.read().shape == (480, 640, 3)
    with pytest.raises(CameraError, match="gives no more pictures; check its cable"):
        camera.read()
    camera.close()
    assert picamera2.calls == [{"size": (640, 480), "format": "BGR888"}, "start", "main", "main", "stop", "close"]


def test_its_exposure_is_locked_once_it_has_settled(
    picamera2: type[Picamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.cameras.picamera.SETTLED_S", 0.0)
    camera = open_camera("picamera:locked")
    for _ in range(2):
        camera.read()
    camera.close()
    locked = {
        "AeEnable": False,
        "AwbEnable": False,
        "ExposureTime": 20_000,
        "AnalogueGain": 2.0,
        "ColourGains": (1.5, 1.75),
    }
    assert picamera2.calls[2:] == ["metadata", locked, "main", "main", "stop", "close"]


def test_a_monochrome_sensors_exposure_is_locked_without_colours(
    picamera2: type[Picamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.cameras.picamera.SETTLED_S", 0.0)
    monkeypatch.setattr(picamera2, "settled", {"ExposureTime": 20_000, "AnalogueGain": 2.0})
    monkeypatch.setattr(picamera2, "camera_controls", {"AeEnable": (False, True, True)})
    camera = open_camera("picamera:locked")
    camera.read()
    camera.close()
    assert picamera2.calls[3] == {"AeEnable": False, "ExposureTime": 20_000, "AnalogueGain": 2.0}


def test_a_picamera2_that_cannot_be_imported_is_no_reason_not_to_look_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    words = r"Picamera2 is installed and cannot be imported \(numpy.dtype size changed\); .* -e \. 'numpy<2'"
    for spec in ("picamera", "auto"):
        with pytest.raises(CameraError, match=words):
            open_camera(spec)
    usb = Scripted(noisy(48, 64, 0, 255))
    monkeypatch.setattr("edge_app.cameras.opening.first_device", lambda: usb)
    assert open_camera("auto").read().shape == (48, 64, 3)
    (tmp_path / "picamera2.py").write_text("import libcamera")
    with pytest.raises(CameraError, match=r"No module named 'libcamera'\); make this .* --system-site-packages"):
        open_camera("picamera")


def test_a_raspberry_pis_camera_that_does_not_start_is_closed(
    picamera2: type[Picamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_self: Picamera2) -> None:
        raise RuntimeError("Device or resource busy")

    monkeypatch.setattr(picamera2, "start", busy)
    with pytest.raises(CameraError, match=r"cannot be opened \(Device or resource busy\); check that no other program"):
        open_camera("picamera")
    assert picamera2.calls == [{"size": (640, 480), "format": "BGR888"}, "close"]


def test_where_libcamera_fails_other_cameras_are_looked_for(
    picamera2: type[Picamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> list[dict[str, object]]:
        raise RuntimeError("Camera manager cannot be started")

    monkeypatch.setattr(picamera2, "global_camera_info", failing)
    with pytest.raises(CameraError, match=r"cannot be listed \(Camera manager cannot be started\)"):
        open_camera("picamera")
    usb = Scripted(noisy(48, 64, 0, 255))
    monkeypatch.setattr("edge_app.cameras.opening.first_device", lambda: usb)
    assert open_camera("auto").read().shape == (48, 64, 3)


def test_a_camera_that_this_user_may_not_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_forbidden(Path("/dev/null")) is False
    assert is_forbidden(tmp_path / "video0") is False  # not there
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert is_forbidden(Path("/dev/null")) is True


def test_the_first_device_that_gives_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four: one cannot be opened, one makes OpenCV itself fail, one gives nothing."""
    opened: list[Scripted] = []

    class Device(Scripted):
        def __init__(self, number: int) -> None:
            if number == 0:
                raise CameraError("camera 0: cannot be opened")
            super().__init__(noisy(48, 64, 0, 255))
            self.name = f"camera {number}"
            opened.append(self)

        def read(self) -> UInt8:
            if self.name == "camera 1":
                raise cv2.error("unknown pixel format")
            if self.name == "camera 2":
                raise CameraError("camera 2: gives no more pictures")
            return super().read()

    monkeypatch.setattr("edge_app.cameras.device.DeviceCamera", Device)
    monkeypatch.setattr(Path, "glob", lambda _self, _pattern: [Path(f"/dev/video{n}") for n in (3, 1, 2, 0)])
    assert first_device().name == "camera 3"
    assert [(device.name[-1], device.closed) for device in opened] == [("1", True), ("2", True), ("3", False)]


@pytest.mark.parametrize("cameras", [[], [Picamera2.usb]])
def test_a_raspberry_pi_without_a_camera_of_its_own(
    picamera2: type[Picamera2], monkeypatch: pytest.MonkeyPatch, cameras: list[object]
) -> None:
    monkeypatch.setattr(picamera2, "cameras", cameras)
    assert not has_pi_camera()
    with pytest.raises(CameraError, match="no camera found; check its cable"):
        open_camera("picamera")
