"""Cameras on real files: video files and pictures made here, and a capture thread that has to outlive a failing one."""

import functools
import http.server
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from waiting import wait_until

from edge_app.cameras.base import opencv_to_rgb
from edge_app.cameras.capture import Capture, Restarts
from edge_app.cameras.device import without_password
from edge_app.cameras.folder import PictureFolder
from edge_app.cameras.opening import open_camera
from edge_app.cameras.video import VideoFile
from edge_app.errors import CameraError

UInt8 = npt.NDArray[np.uint8]


def solid(red: int, green: int, blue: int) -> UInt8:
    """A picture of one colour, uint8 (48, 64, 3) RGB."""
    return np.full((48, 64, 3), (red, green, blue), dtype=np.uint8)


def write_video(path: Path, frames_rgb: list[UInt8], fps: float) -> Path:
    """A video of pictures, nothing lost: each frame a PNG."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"png "), fps, (64, 48))
    assert writer.isOpened()
    for frame_rgb in frames_rgb:
        writer.write(cv2.cvtColor(frame_rgb, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def write_picture(path: Path, frame_rgb: UInt8) -> None:
    assert cv2.imwrite(str(path), cv2.cvtColor(frame_rgb, cv2.COLOR_RGB2BGR))


class Flaky:
    """A camera that gives three frames (their number in every pixel) and then fails."""

    opened = 0
    closed = 0

    def __init__(self) -> None:
        Flaky.opened += 1
        self._given = 0

    def read(self) -> UInt8:
        self._given += 1
        if self._given > 3:
            raise CameraError("flaky: unplugged")
        return solid(self._given, self._given, self._given)

    def close(self) -> None:
        Flaky.closed += 1


@pytest.fixture
def flaky() -> type[Flaky]:
    Flaky.opened = Flaky.closed = 0
    return Flaky


def test_opencv_frames_become_rgb() -> None:
    bgr = np.array([[[1, 2, 3]]], dtype=np.uint8)
    assert opencv_to_rgb(bgr, "x").tolist() == [[[3, 2, 1]]]
    assert opencv_to_rgb(np.array([[[1, 2, 3, 9]]], dtype=np.uint8), "x").tolist() == [[[3, 2, 1]]]
    assert opencv_to_rgb(np.array([[7]], dtype=np.uint8), "x").tolist() == [[[7, 7, 7]]]
    with pytest.raises(CameraError, match="empty frame"):
        opencv_to_rgb(None, "x")
    with pytest.raises(CameraError, match=r"shape \(1, 1, 2\)"):
        opencv_to_rgb(np.zeros((1, 1, 2), dtype=np.uint8), "x")


def test_a_video_is_given_in_order_in_rgb_and_from_the_start_again(tmp_path: Path) -> None:
    frames_rgb = [solid(200, 0, 0), solid(0, 150, 0), solid(0, 0, 100)]
    camera = VideoFile(write_video(tmp_path / "three.avi", frames_rgb, fps=100))
    try:
        seen = [camera.read()[0, 0].tolist() for _ in range(5)]
    finally:
        camera.close()
    assert seen == [[200, 0, 0], [0, 150, 0], [0, 0, 100], [200, 0, 0], [0, 150, 0]]


def test_a_stream_that_cannot_be_wound_back_begins_again_too(tmp_path: Path) -> None:
    """JPEG after JPEG, as a camera gives them: there is no index to go by."""
    values = [30, 90, 150, 210] * 30
    stream = b"".join(cv2.imencode(".jpg", solid(value, value, value))[1].tobytes() for value in values)
    (tmp_path / "raw.mjpeg").write_bytes(stream)
    camera = VideoFile(tmp_path / "raw.mjpeg")
    camera._interval_s = 0.0
    seen = [round(float(camera.read().mean())) for _ in range(2 * len(values) + 4)]
    camera.close()
    assert seen == pytest.approx(values + values + values[:4], abs=2)


def test_of_a_network_camera_nobody_prints_the_password(tmp_path: Path) -> None:
    """A playlist whose pieces are missing, of which FFmpeg would tell with their whole address."""
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nmissing.ts\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        camera = f"http://ann:secret@127.0.0.1:{server.server_port}/a.m3u8"
        command = [sys.executable, "-m", "edge_app", "--no-page", "--camera", camera]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        server.shutdown()
    assert done.returncode == 2 and "error: http://" in done.stderr
    assert "secret" not in done.stdout + done.stderr


def test_a_video_keeps_its_own_pace(tmp_path: Path) -> None:
    camera = VideoFile(write_video(tmp_path / "slow.avi", [solid(1, 2, 3)] * 4, fps=20))
    try:
        camera.read()
        started_s = time.monotonic()
        for _ in range(10):
            camera.read()
        took_s = time.monotonic() - started_s
    finally:
        camera.close()
    assert 0.49 <= took_s < 5.0  # ten intervals of 1/20 s, on a busy machine a little more


def test_a_file_that_is_no_video_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "no.mp4"
    path.write_bytes(b"these are no pictures")
    with pytest.raises(CameraError, match=r"no\.mp4: not a video"):
        open_camera(str(path))


def test_a_folder_shows_its_pictures_by_name_and_passes_over_broken_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.cameras.folder.SHOWN_S", 0.04)
    monkeypatch.setattr("edge_app.cameras.folder.INTERVAL_S", 0.02)
    write_picture(tmp_path / "b.png", solid(0, 90, 0))
    write_picture(tmp_path / "a.png", solid(80, 0, 0))
    (tmp_path / "ab.png").write_bytes(b"broken")
    (tmp_path / "notes.txt").write_text("not a picture")
    camera = open_camera(str(tmp_path))
    assert isinstance(camera, PictureFolder)
    try:
        seen = [camera.read()[0, 0].tolist() for _ in range(6)]
    finally:
        camera.close()
    assert seen == [[80, 0, 0], [80, 0, 0], [0, 90, 0], [0, 90, 0], [80, 0, 0], [80, 0, 0]]


def test_a_folder_without_readable_pictures_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no pictures in it"):
        open_camera(str(tmp_path))
    (tmp_path / "a.jpg").write_bytes(b"broken")
    camera = open_camera(str(tmp_path))
    with pytest.raises(CameraError, match="none of its pictures can be read"):
        camera.read()


def test_a_picture_is_shown_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.cameras.folder.SHOWN_S", 0.04)
    monkeypatch.setattr("edge_app.cameras.folder.INTERVAL_S", 0.02)
    write_picture(tmp_path / "a.PNG", solid(80, 0, 0))
    write_picture(tmp_path / "b.png", solid(0, 90, 0))
    camera = open_camera(str(tmp_path / "a.PNG"))
    try:
        seen = [camera.read()[0, 0].tolist() for _ in range(5)]
    finally:
        camera.close()
    assert seen == [[80, 0, 0]] * 5


def test_a_picture_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"broken")
    with pytest.raises(CameraError, match=r"a\.jpg: not a JPEG, PNG, WebP or BMP picture; save it as one of these"):
        open_camera(str(path)).read()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("picamera", "Picamera2 is not installed here"),
        ("/dev/null", "camera /dev/null: cannot be opened"),
        ("77", "camera 77: cannot be opened"),
        ("99999999999999999999", "99999999999999999999: cannot be opened; --camera takes"),
        ("/no/such/file.mp4", "no such camera, file or folder"),
        ("n" * 300, r"nnn: cannot be read \(File name too long\)"),
        ("rtsp://ann:secret@127.0.0.1:9/garden", r"rtsp://\*\*\*@127.0.0.1:9/\.\.\.: cannot be opened"),
        ("HTTP://ann:secret@127.0.0.1:9/garden", r"http://\*\*\*@127.0.0.1:9/\.\.\.: cannot be opened"),
        ("rtsp+tls://ann:secret@127.0.0.1:9", r"rtsp\+tls://\*\*\*@127.0.0.1:9: no such camera"),
    ],
)
def test_what_cannot_be_opened_says_so(spec: str, words: str) -> None:
    with pytest.raises(CameraError, match=words) as caught:
        open_camera(spec)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:p@ssw0rd@192.0.2.5/live", "rtsp://***@192.0.2.5/..."),
        ("rtsp://ann:secret@[2001:db8::1]:554", "rtsp://***@[2001:db8::1]:554"),
        ("rtsp://admin:pa/ss@cam/live", "rtsp://***"),
        ("rtsp://ann:secret@host:554/a@b", "rtsp://***"),
        ("http://cam/video.cgi?pwd=se@cret", "http://***"),
        ("http://cam/video.cgi?user=admin&pwd=secret", "http://cam/..."),
        ("http://cam?pwd=secret", "http://cam/..."),
        ("http://cam&pwd=secret", "http://cam/..."),
        ("rtsp://cam:554/user=admin&password=secret&channel=1", "rtsp://cam:554/..."),
        ("http://cam:8080/", "http://cam:8080/"),
        ("udp://0.0.0.0:5000", "udp://0.0.0.0:5000"),
        ("rtsp:/ann:secret@cam/live", "rtsp:***"),
        ("http:/cam/?password=secret", "http:***"),
        ("/dev/video0", "/dev/video0"),
        ("C:/holidays/ann@home.mp4", "C:/holidays/ann@home.mp4"),
        ("holidays/ann@home.mp4", "holidays/ann@home.mp4"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_capture_keeps_the_newest_frame(tmp_path: Path) -> None:
    frames_rgb = [solid(value, value, value) for value in range(50)]
    path = write_video(tmp_path / "fifty.avi", frames_rgb, fps=100)
    capture = Capture(lambda: VideoFile(path), Restarts())
    capture.start()
    try:
        first = capture.newest(after=0, timeout_s=30)
        assert first is not None
        second = capture.newest(after=first.number + 5, timeout_s=30)
        assert second is not None
        assert second.number > first.number + 5
        assert second.frame_rgb[0, 0, 0] == (second.number - 1) % 50
    finally:
        capture.close()
    last = capture.newest(after=0, timeout_s=0)
    assert last is not None and last.number >= second.number
    assert not [thread for thread in threading.enumerate() if thread.name == "capture"]


def test_capture_waits_no_longer_than_it_is_told() -> None:
    capture = Capture(lambda: open_camera("/no/such/file.mp4"), Restarts())
    capture.start()
    try:
        started_s = time.monotonic()
        assert capture.newest(after=0, timeout_s=0.2) is None
        assert 0.2 <= time.monotonic() - started_s < 5.0
        wait_until(lambda: "no such camera" in capture.trouble)
    finally:
        capture.close()


def test_capture_opens_a_failing_camera_again_and_then_gives_up(flaky: type[Flaky]) -> None:
    capture = Capture(flaky, Restarts(budget=2, pause_s=0.01))
    capture.start()
    wait_until(lambda: capture.gave_up)
    assert capture.trouble == "flaky: unplugged"
    assert (flaky.opened, flaky.closed) == (3, 3)  # once, and twice again
    newest = capture.newest(after=0, timeout_s=0)
    assert newest is not None and newest.number == 9
    capture.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_capture_that_dies_of_an_unexpected_error_has_given_up() -> None:
    def broken() -> Flaky:
        raise TypeError("nobody expected this")

    capture = Capture(broken, Restarts())
    capture.start()
    wait_until(lambda: capture.gave_up)
    capture.close()
    assert capture.trouble == "the camera failed in a way of its own; the terminal says how"


def test_frames_for_a_while_refill_the_restarts(flaky: type[Flaky]) -> None:
    capture = Capture(flaky, Restarts(budget=1, pause_s=0.001, healthy_s=0.0))
    capture.start()
    assert capture.newest(after=30, timeout_s=30) is not None
    assert not capture.gave_up
    capture.close()
