"""The certificate of --https, and a camera on another machine through it."""

import contextlib
import stat
import sys
from pathlib import Path

import pytest
from browser import ANSWER_TIMEOUT_MS, WITHOUT_CHROMIUM, Server
from cryptography import x509
from playwright.sync_api import Browser, expect

from edge_app import cli
from edge_app.errors import EdgeAppError
from edge_app.page import https
from edge_app.page.app import own_address
from edge_app.page.health import is_well
from edge_app.page.https import own_certificate, own_names


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "edge-fashion"


def serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


def test_a_certificate_is_made_once_for_all_names_and_kept_from_others(home: Path) -> None:
    kept = own_certificate(["pi.local", "192.168.1.5"])
    assert {path.name for path in home.iterdir()} == {"certificate.pem", "key.pem"}
    certificate = x509.load_pem_x509_certificate(kept.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pi.local"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.5"]
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 397
    assert stat.S_IMODE(kept.key.stat().st_mode) == 0o600
    assert serial(own_certificate(["pi.local"]).certificate) == certificate.serial_number


def test_a_certificate_is_made_anew_when_it_no_longer_serves(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serials = [serial(own_certificate(["pi.local"]).certificate)]
    serials.append(serial(own_certificate(["pi.local", "10.0.0.1"]).certificate))  # a new address
    (home / "key.pem").unlink()
    serials.append(serial(own_certificate(["pi.local"]).certificate))
    (home / "certificate.pem").write_bytes(b"-----BEGIN")
    serials.append(serial(own_certificate(["pi.local"]).certificate))
    (home / "key.pem").write_bytes(https.make(["pi.local"])[1])  # another certificate's key
    serials.append(serial(own_certificate(["pi.local"]).certificate))
    monkeypatch.setattr(https, "RENEWED_DAYS", 397)  # it ends soon
    serials.append(serial(own_certificate(["pi.local"]).certificate))
    assert len(set(serials)) == 6


def test_own_names_are_each_named_once() -> None:
    names = own_names("127.0.0.1")
    assert len(names) == len(set(names))
    assert {"localhost", "127.0.0.1", "::1"} < set(names)


def test_names_of_other_letters_are_written_as_browsers_ask_for_them(home: Path) -> None:
    names = ["köln-pc", "köln-pc.local", ".local", "a" * 64]  # the last two are none
    kept = own_certificate(names)
    certificate = x509.load_pem_x509_certificate(kept.certificate.read_bytes())
    covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert covered.get_values_for_type(x509.DNSName) == ["xn--kln-pc-wxa", "xn--kln-pc-wxa.local"]
    assert serial(own_certificate(names).certificate) == certificate.serial_number


def test_what_keeps_a_certificate_from_being_made_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.parent.write_text("a file where the folder should be")
    with pytest.raises(EdgeAppError, match="cannot be written"):
        own_certificate(["pi.local"])
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(EdgeAppError, match=r'" -m pip install cryptography$'):
        own_certificate(["pi.local"])


def test_a_share_link_is_https_already(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--https", "--share"]) == 2
    assert "a share link is https already" in capsys.readouterr().err


@pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")
def test_a_browser_elsewhere_gives_its_camera_by_https(browser: Browser) -> None:
    server = Server("--https", "--host", "0.0.0.0")
    try:
        assert server.process.stdout is not None
        told = [server.process.stdout.readline() for _ in range(3)]
        elsewhere = f"https://{own_address()}:{server.port}/"
        assert told[0] == f"From another machine: {elsewhere}\n"
        assert is_well(f"https://127.0.0.1:{server.port}/")  # to itself, not being a browser
        with contextlib.closing(browser.new_context(ignore_https_errors=True)) as context:
            page = context.new_page()
            page.goto(elsewhere)
            page.click("#start")
            expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        assert server.stop()[0] == 0
    finally:
        server.process.kill()
        server.process.communicate(timeout=20)
