"""The addresses the page is served at."""

import ipaddress
import socket
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from browser import Server

from edge_app.cameras.base import Camera
from edge_app.cameras.opening import open_camera
from edge_app.errors import CameraError
from edge_app.models import assets_dir
from edge_app.page.app import AGAIN, _stay, has_device_camera, in_url, own_address
from edge_app.reports import Report


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_ipv6_stands_in_brackets_in_a_url() -> None:
    assert [in_url(host) for host in ("127.0.0.1", "localhost", "::1")] == ["127.0.0.1", "localhost", "[::1]"]


def test_other_machines_are_told_an_address_that_is_not_this_machines_alone() -> None:
    address = own_address()
    assert address == socket.gethostname() or not ipaddress.ip_address(address).is_loopback


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
def test_the_page_is_served_by_ipv6() -> None:
    server = Server("--host", "::1")
    server.url = f"http://[::1]:{server.port}/"
    try:
        server.wait()
        assert server.process.stdout is not None
        assert server.process.stdout.readline() == f"Edge Fashion: {server.url}  (Ctrl-C ends it)\n"
        assert server.stop() == (0, "Bye.\n")
    finally:
        server.process.kill()
        server.process.communicate(timeout=20)


def test_without_a_camera_of_its_own_auto_is_the_browsers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(_spec: str) -> Camera:
        raise CameraError("no camera found on this machine; plug one in and start again")

    monkeypatch.setattr("edge_app.reports.open_camera", none)
    published: list[Report] = []
    assert not has_device_camera("browser", published.append)
    assert (capsys.readouterr().out, published) == ("", [])
    assert not has_device_camera("auto", published.append)
    told = "no camera found on this machine; plug one in and start again. The page uses the browser's camera.\n"
    assert capsys.readouterr().out == told
    with pytest.raises(CameraError, match="no camera found"):
        has_device_camera("0", published.append)
    words = "no camera found on this machine; plug one in and start again"
    assert [report["error"] for report in published] == [words, words]


def test_a_service_without_a_camera_ends_when_there_is_one_to_be_started_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[str] = []

    def plugged_in_at_the_third_look(spec: str) -> Camera:
        tried.append(spec)
        if len(tried) < 3:
            raise CameraError("no camera found on this machine")
        return open_camera(str(assets_dir() / "examples" / "bag.png"))

    monkeypatch.setattr("edge_app.page.app.open_camera", plugged_in_at_the_third_look)
    monkeypatch.setattr("edge_app.page.app.CAMERA_EVERY_S", 0.1)
    monkeypatch.setattr("edge_app.page.app.POLL_S", 0.05)
    page: Any = SimpleNamespace(is_running=True, local_url="http://127.0.0.1:7860/")
    assert _stay(page, awaits_camera=True) == AGAIN
    assert tried == ["auto"] * 3
    assert capsys.readouterr().out.endswith("There is a camera now: the page is started again, with it.\n")


def test_a_camera_that_keeps_who_looks_for_one_does_not_keep_the_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    looking, ended, fed = threading.Event(), threading.Event(), threading.Event()

    def hanging(_: str) -> Camera:
        looking.set()
        assert ended.wait(30)
        raise CameraError("no camera found on this machine")

    def is_well(_: str) -> bool:
        if looking.is_set():
            fed.set()
            page.is_running = False
        return True

    monkeypatch.setenv("NOTIFY_SOCKET", "/no/such/socket")
    monkeypatch.setattr("edge_app.page.app.open_camera", hanging)
    monkeypatch.setattr("edge_app.page.app.is_well", is_well)
    monkeypatch.setattr("edge_app.systemd.BEAT_S", 0.1)
    monkeypatch.setattr("edge_app.page.app.CAMERA_EVERY_S", 0.1)
    monkeypatch.setattr("edge_app.page.app.POLL_S", 0.05)
    page: Any = SimpleNamespace(is_running=True, local_url="http://127.0.0.1:7860/")
    try:
        assert _stay(page, awaits_camera=True) == 0
        assert fed.is_set()
    finally:
        ended.set()
