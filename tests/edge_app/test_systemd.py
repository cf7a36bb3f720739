"""What systemd is told, heard at a real socket of its kind."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from browser import Server, drawn
from links import NetworkCameraStandIn
from test_headless import garments, headless

from edge_app import systemd
from edge_app.models import default_model
from edge_app.page.frames import Desk
from edge_app.page.health import health, is_well
from edge_app.pipeline import Classifiers
from edge_app.reports import Seen

__all__ = ["garments"]  # a fixture

WAIT_S = 30.0


@pytest.fixture
def messages(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket at which systemd would listen."""
    path = tmp_path_factory.mktemp("systemd") / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(WAIT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield listening


def silent(messages: socket.socket, seconds: float) -> bool:
    """Whether nothing comes for so long."""
    messages.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        messages.recv(100)
        return False
    return True


def test_messages(messages: socket.socket) -> None:
    systemd.tell("READY=1")
    assert messages.recv(100) == b"READY=1"


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_messages_to_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"edge-app-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(WAIT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        systemd.tell("READY=1")
        assert listening.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.tell("READY=1")
    systemd.Watchdog().feed(lambda: pytest.fail("nobody wants to know"))
    monkeypatch.setenv("NOTIFY_SOCKET", "/no/such/socket")
    systemd.tell("READY=1")


def test_the_watchdog_is_fed_now_and_then_and_only_when_all_is_well(
    messages: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    watchdog = systemd.Watchdog()
    watchdog.feed(lambda: False)
    assert silent(messages, 0.2)
    watchdog.feed()
    watchdog.feed()
    assert messages.recv(100) == b"WATCHDOG=1"
    assert silent(messages, 0.2)
    monkeypatch.setattr("edge_app.systemd.BEAT_S", 0.0)
    watchdog.feed()
    assert messages.recv(100) == b"WATCHDOG=1"


def test_without_a_page_frames_feed_it(messages: socket.socket, garments: Path) -> None:
    with headless("--camera", str(garments)) as run:
        assert [messages.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(timeout=20) == 0


def test_a_camera_that_gives_no_frames_starves_it(messages: socket.socket) -> None:
    camera = NetworkCameraStandIn([cv2.imencode(".jpg", drawn("trouser", step))[1].tobytes() for step in range(10)])
    camera.switch_on()
    with headless("--camera", camera.url) as run:
        assert messages.recv(100) == b"READY=1"
        run.next_label("Trouser")
        camera.switch_off()
        while "error" not in run.next():
            pass
        while not silent(messages, 0.1):  # what was said before
            pass
        assert silent(messages, 2 * systemd.BEAT_S)


def test_an_idle_page_feeds_it_and_a_hung_one_does_not(messages: socket.socket) -> None:
    server = Server()
    try:
        assert [messages.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        assert is_well(server.url)
        server.process.send_signal(signal.SIGSTOP)
        assert silent(messages, 2 * systemd.BEAT_S)
        server.process.send_signal(signal.SIGCONT)
        messages.settimeout(WAIT_S)
        assert messages.recv(100) == b"WATCHDOG=1"
    finally:
        server.process.kill()
        server.process.communicate(timeout=20)
    assert not is_well(server.url)


def test_a_published_camera_that_is_silent_is_no_good_health(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, seen = Desk([default_model()], Classifiers(), watch=None), Seen()
    assert health(desk, None)["ok"] is True
    assert health(desk, seen)["ok"] is True
    monkeypatch.setattr("edge_app.reports.SILENT_S", 0.0)
    assert (health(desk, seen)["ok"], health(desk, seen)["trouble"]) == (False, "the camera gives no pictures")
    assert health(desk, None)["ok"] is True
    monkeypatch.setattr("edge_app.reports.SILENT_S", 60.0)
    seen()
    assert health(desk, seen)["ok"] is True
