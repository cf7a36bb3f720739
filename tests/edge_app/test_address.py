"""The addresses the page is served at."""

import ipaddress
import socket

import pytest
from browser import Server

from edge_app.cameras.base import Camera
from edge_app.errors import CameraError
from edge_app.page.app import has_device_camera, in_url, own_address
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
