"""The page's server, a real Chromium, and a webcam whose picture is made here."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route

from edge_app.models import assets_dir

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WITHOUT_CHROMIUM = CHROMIUM is None and not os.environ.get("EDGE_APP_DATA")  # with it set, what is missing is a failure
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
Scheme = Literal["light", "dark"]
DESKTOP, PHONE = (1280, 720), (390, 844)
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_MS = 15_000
PROGRAM = ("-m", "edge_app")
STATES = ("ready", "looking", "sure", "unsure", "nothing", "camera lost", "refused", "busy")


def drawn(name: str, shift: int) -> npt.NDArray[np.uint8]:
    """A drawing of the examples on white, `shift` pixels to the right: BGR, uint8 (480, 640, 3)."""
    drawing_bgr = cv2.imread(str(assets_dir() / "examples" / f"{name}.png"), cv2.IMREAD_COLOR)
    assert drawing_bgr is not None and drawing_bgr.shape == (480, 480, 3)
    frame_bgr = np.full((480, 640, 3), 255, dtype=np.uint8)
    frame_bgr[:, 80 + shift : 560 + shift] = drawing_bgr
    return frame_bgr


def write_webcam(name: str, path: Path) -> None:
    """A webcam's stream as Chromium takes it: JPEG after JPEG, 640x480, the drawn garment moving a little."""
    shifts = [round(6 * np.sin(2 * np.pi * step / 30)) for step in range(30)]
    write_frames([drawn(name, shift) for shift in shifts], path)


def write_frames(frames_bgr: list[npt.NDArray[np.uint8]], path: Path) -> None:
    """A webcam's stream of these pictures, 640x480, again and again."""
    path.write_bytes(b"".join(cv2.imencode(".jpg", frame_bgr)[1].tobytes() for frame_bgr in frames_bgr))


def write_film(frames_bgr: Sequence[npt.NDArray[np.uint8]], path: Path, fps: float) -> None:
    """A video that Chromium plays, 640x480."""
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), fps, (640, 480))
    for frame_bgr in frames_bgr:
        film.write(frame_bgr)
    film.release()


class Server:
    """`python -m edge_app`, or another `program`, on a free port of this machine; `root` is the checkout."""

    def __init__(self, *options: str, root: Path = ROOT, program: Sequence[str] = PROGRAM) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/"
        command = [sys.executable, *program, "--port", str(self.port), *options]
        self.process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)

    def wait(self) -> None:
        """Until the page answers."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s and self.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(self.url, timeout=5) as answer:
                assert answer.status == 200
                return
            time.sleep(0.1)
        raise AssertionError(f"no page; the server's exit status is {self.process.poll()}")

    def memory_mb(self) -> float:
        """Resident memory now (VmRSS)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024

    def stop(self) -> tuple[int, str]:
        """Ctrl-C: (exit status, what it printed)."""
        self.process.send_signal(signal.SIGINT)
        printed, _ = self.process.communicate(timeout=20)
        return self.process.returncode, printed


@contextlib.contextmanager
def serving(*options: str, root: Path = ROOT, program: Sequence[str] = PROGRAM) -> Iterator[Server]:
    server = Server(*options, root=root, program=program)
    try:
        server.wait()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate(timeout=20)


@contextlib.contextmanager
def chromium(playwright: Playwright, *flags: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *flags])
    try:
        yield browser
    finally:
        browser.close()


@contextlib.contextmanager
def visit(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light") -> Iterator[Page]:
    context: BrowserContext = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    try:
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector("#start")
        yield page
    finally:
        context.close()


def log_in(context: BrowserContext, url: str) -> Page:
    """The page behind the login of `--auth ann:secret`."""
    page = context.new_page()
    page.goto(url)
    page.get_by_label("username").fill("ann")
    page.get_by_label("password").fill("secret")
    page.get_by_role("button", name="Login").click()
    return page


def component(server: Server) -> int:
    """The number under which Gradio knows the page's HTML."""
    with urllib.request.urlopen(server.url + "config", timeout=10) as config:
        components = json.load(config)["components"]
    return next(int(component["id"]) for component in components if component["type"] == "html")


def ask(server: Server, function: str, message: dict[str, Any], session: str = "test") -> dict[str, Any]:
    """What the page's script would be answered."""
    body = {"data": message, "component_id": component(server), "fn_name": function, "session_hash": session}
    question = urllib.request.Request(
        server.url + "gradio_api/component_server", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(question, timeout=10) as answer:
        reply: dict[str, Any] = json.load(answer)
        return reply


def answers(page: Page) -> int:
    return int(page.get_attribute("#stats", "data-answers") or 0)


def listen(page: Page) -> Callable[[], list[str]]:
    """What a screen reader hears from now on."""
    page.evaluate(
        """() => {
            window.heard = [];
            const spoken = document.querySelector('#spoken');
            new MutationObserver(() => heard.push(spoken.textContent)).observe(spoken, { childList: true });
        }"""
    )
    return lambda: page.evaluate("heard")


def asked(page: Page) -> dict[str, Any]:
    """The next message that the page sends with a frame."""
    with page.expect_request(lambda request: "classify_frame" in (request.post_data or "")) as caught:
        pass
    message: dict[str, Any] = json.loads(caught.value.post_data or "")["data"]
    return message


def hold(page: Page, function: str) -> list[Route]:
    """Where the page's next question to this function of the server waits to be continued."""
    held: list[Route] = []

    def wait_or_go(route: Route) -> None:
        if not held and f'"fn_name":"{function}"' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/component_server/", wait_or_go)
    return held


def wait_for_answers(page: Page, more: int) -> None:
    page.wait_for_function(
        "count => Number(document.querySelector('#stats').dataset.answers) >= count",
        arg=answers(page) + more,
        timeout=ANSWER_TIMEOUT_MS,
    )
