"""What all tests share."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from browser import Server
    from playwright.sync_api import Browser, Playwright

# Before anything imports Keras: its cache and settings are the tests' own, its backend the one that exports.
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="edge-app-keras-")
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="edge-app-user-")  # what was taught here is no test's affair
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A suite that a script started in the background ignores Ctrl-C, and so would every program that it starts and stops.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of data sets. Skips without EDGE_APP_DATA; with it, whatever is missing there is a failure."""
    named = os.environ.get("EDGE_APP_DATA")
    if not named:
        pytest.skip("EDGE_APP_DATA is not set: this test needs the data sets")
    return Path(named)


@pytest.fixture(scope="session")
def find_program() -> Callable[[str], str]:
    """The path of a program that some tests need. Skips where it is missing; with EDGE_APP_DATA set, fails."""

    def find(name: str) -> str:
        path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if path is None:
            (pytest.fail if os.environ.get("EDGE_APP_DATA") else pytest.skip)(f"{name} is not installed (apt)")
        return path

    return find


# What the browser's tests share; only they need Playwright, so it is imported when they ask.


@pytest.fixture(scope="session")
def webcam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A webcam's stream of the drawn trousers."""
    from browser import write_webcam

    path = tmp_path_factory.mktemp("webcam") / "trousers.mjpeg"
    write_webcam("trouser", path)
    return path


@pytest.fixture(scope="session")
def server() -> "Iterator[Server]":
    """The page, with the browser's camera."""
    from browser import serving

    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def playwright() -> "Iterator[Playwright]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: "Playwright", webcam: Path) -> "Iterator[Browser]":
    """A browser whose webcam sees the trousers, and whose user allows it."""
    from browser import FAKE_CAMERA, chromium

    with chromium(playwright, *FAKE_CAMERA, f"--use-file-for-fake-video-capture={webcam}") as browser:
        yield browser
