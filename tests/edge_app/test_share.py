"""A share link: always behind a password, never with the device's camera unless it is asked for."""

import re
from pathlib import Path

import pytest
from browser import FAKE_CAMERA, WITHOUT_CHROMIUM, Server, chromium, log_in, serving, wait_for_answers
from playwright.sync_api import Playwright
from tunnel import HOST

from edge_app import cli
from edge_app.page.app import is_loopback


@pytest.mark.parametrize("camera", ["0", "clip.mp4", "rtsp://ann:secret@10.0.0.1/garden"])
def test_the_device_camera_is_not_shared_unless_asked_for(camera: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--share", "--camera", camera]) == 2
    error = capsys.readouterr().err
    assert "would show this camera to everybody who has the link. Add --share-camera" in error
    assert "secret" not in error


def test_sharing_the_camera_needs_a_share_link(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--share-camera", "--camera", "0"]) == 2
    assert "there is no share link without --share" in capsys.readouterr().err


def test_without_a_tunnel_the_page_goes_on_behind_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):  # nothing answers there
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    passwords = []
    for _ in range(2):
        server = Server("--share")
        try:
            server.wait()
            assert server.process.stdout is not None
            told = [server.process.stdout.readline() for _ in range(4)]
        finally:
            server.process.kill()
            server.process.communicate(timeout=20)
        found = re.fullmatch(r"Name and password for the page: guest:([\w-]{32})\n", told[0])
        assert found is not None
        passwords.append(found[1])
        assert told[2].startswith("No share link could be had")
        assert told[3] == f"Edge Fashion: {server.url}  (Ctrl-C ends it)\n"
    assert passwords[0] != passwords[1]


@pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")
def test_the_link_and_this_machine_show_the_page_after_its_login(playwright: Playwright, webcam: Path) -> None:
    """The tunnel is stood for by a name that leads here, to which the browser gives a camera as it does to https."""
    with serving("--share", "--auth", "ann:secret", program=(str(Path(__file__).with_name("tunnel.py")),)) as server:
        link = f"http://{HOST}:{server.port}"
        flags = (f"--host-resolver-rules=MAP {HOST} 127.0.0.1", f"--unsafely-treat-insecure-origin-as-secure={link}")
        camera = (*FAKE_CAMERA, f"--use-file-for-fake-video-capture={webcam}")
        with chromium(playwright, *camera, *flags) as browser:
            for address in (server.url, link):
                context = browser.new_context()
                page = log_in(context, address)
                page.click("#start")
                wait_for_answers(page, 3)
                context.close()
        _, printed = server.stop()
    assert f"Shared for a week at most, with whoever has the link: https://{HOST}:{server.port}\n" in printed


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_a_proxy_is_not_asked_for_the_page_itself(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as environment:
        for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):  # nothing answers there
            environment.setenv(name, proxy)
        server = Server()
    try:
        server.wait()
    finally:
        server.process.kill()
        server.process.communicate(timeout=20)


def test_only_this_machine_reaches_a_loopback_address() -> None:
    hosts = ("127.0.0.1", "127.1.2.3", "::1", "localhost", "0.0.0.0", "::", "192.168.1.5", "pi.local")
    assert [is_loopback(host) for host in hosts] == [True, True, True, True, False, False, False, False]
