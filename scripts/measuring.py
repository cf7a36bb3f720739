"""The live page's figures, measured in a real Chromium: what `scripts/measure-page` runs.

Each function measures one thing and gives rows: what, value, the bar it should reach, and whether it does.
"""

import argparse
import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from browser import (
    FAKE_CAMERA,
    Server,
    answers,
    ask,
    chromium,
    drawn,
    serving,
    visit,
    wait_for_answers,
    write_frames,
    write_webcam,
)
from links import NetworkCameraStandIn, SlowLink
from playwright.sync_api import Browser, Page, Playwright, Request, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from recording import RECORD, WATCH_PICTURE

from edge_app.bench import conditions
from edge_app.classifier import Classifier
from edge_app.models import default_model

SECONDS = 20.0
PAGES = 4
HELD_FRAMES = 90  # 3 s of a webcam's 30 a second
RTT_S, LINK_BYTES_PER_S = 0.2, 125_000  # 1 Mbit/s
PLACES = 8


@dataclass(frozen=True)
class Row:
    """One figure, and whether it reaches its bar."""

    what: str
    value: str
    bar: str
    reached: bool


@dataclass(frozen=True)
class Tools:
    """What a measurement works with; ``folder`` is an empty one of its own."""

    playwright: Playwright
    folder: Path
    minutes: float

    def browser_seeing(self, garment: str) -> contextlib.AbstractContextManager[Browser]:
        webcam = self.folder / f"{garment}.mjpeg"
        write_webcam(garment, webcam)
        return chromium(self.playwright, *FAKE_CAMERA, f"--use-file-for-fake-video-capture={webcam}")


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return float(np.percentile(values, 95))


def stream(page: Page, seconds: float) -> tuple[float, list[float]]:
    """A started page for so long: answers a second, and the ages of its pictures in ms."""
    wait_for_answers(page, 10)
    page.evaluate(RECORD)
    before, began_s = answers(page), time.monotonic()
    page.wait_for_timeout(1e3 * seconds)
    return (answers(page) - before) / (time.monotonic() - began_s), page.evaluate("ages")


def start(tools: Tools) -> list[Row]:
    """From the command to the page, and from the click to the first answer."""
    began_s = time.monotonic()
    with serving() as server:
        page_s = time.monotonic() - began_s
        with tools.browser_seeing("trouser") as browser, visit(browser, server.url) as page:
            page.wait_for_timeout(2000)
            clicked_s = time.monotonic()
            page.click("#start")
            wait_for_answers(page, 1)
            answer_s = time.monotonic() - clicked_s
    return [
        Row("start to page", f"{page_s:.1f} s", "<= 3 s", page_s <= 3),
        Row("click to first answer", f"{answer_s:.2f} s", "<= 1.5 s", answer_s <= 1.5),
    ]


def one(tools: Tools) -> list[Row]:
    """One page."""
    with serving() as server, tools.browser_seeing("trouser") as browser, visit(browser, server.url) as page:
        page.click("#start")
        rate, ages = stream(page, SECONDS)
    return [
        Row("answers a second, one page", f"{rate:.1f}", ">= 25", rate >= 25),
        Row(f"age of the picture, p95 of {len(ages)}", f"{p95(ages):.0f} ms", "<= 60 ms", p95(ages) <= 60),
    ]


def four(tools: Tools) -> list[Row]:
    """Four pages at once, each in a window of its own."""
    with serving() as server, tools.browser_seeing("trouser") as browser:
        pages = [browser.new_context().new_page() for _ in range(PAGES)]
        for page in pages:
            page.goto(server.url)
            page.click("#start")
        for page in pages:
            wait_for_answers(page, 5)
        before, began_s = [answers(page) for page in pages], time.monotonic()
        pages[0].wait_for_timeout(1e3 * SECONDS)
        took_s = time.monotonic() - began_s
        rates = [(answers(page) - count) / took_s for page, count in zip(pages, before, strict=True)]
    load = os.getloadavg()[0]
    shown = ", ".join(f"{rate:.1f}" for rate in rates)
    return [Row(f"answers a second, each of {PAGES} pages (load {load:.1f})", shown, ">= 8", min(rates) >= 8)]


def slow(tools: Tools) -> list[Row]:
    """A link of 200 ms there and back and 1 Mbit/s, for a minute."""
    in_flight: set[Request] = set()
    most: list[int] = []

    def asked(request: Request) -> None:
        if "component_server" in request.url:
            in_flight.add(request)
            most.append(len(in_flight))

    def answered(request: Request) -> None:
        in_flight.discard(request)

    with serving() as server, tools.browser_seeing("trouser") as browser:
        link = SlowLink(server.port, RTT_S / 2, LINK_BYTES_PER_S)
        with visit(browser, f"http://127.0.0.1:{link.port}/") as page:
            page.on("request", asked)
            page.on("requestfinished", answered)
            page.on("requestfailed", answered)
            page.click("#start")
            wait_for_answers(page, 5)
            link.slow = True
            rate, ages = stream(page, 60.0)
        link.close()
    halves = [p95(ages[: len(ages) // 2]), p95(ages[len(ages) // 2 :])]
    rising = halves[1] > 1.2 * halves[0]
    return [
        Row(
            f"slow link: age p95 of {len(ages)} ({rate:.1f} a second)",
            f"{p95(ages):.0f} ms",
            "<= 600 ms",
            p95(ages) <= 600,
        ),
        Row(
            "slow link: age p95, first and second half",
            " and ".join(f"{age:.0f} ms" for age in halves),
            "not rising",
            not rising,
        ),
        Row("slow link: questions in flight, at most", str(max(most)), "1", max(most) == 1),
    ]


def change(tools: Tools) -> list[Row]:
    """A webcam that shows trousers and a bag in turn, three seconds each."""
    webcam = tools.folder / "turns.mjpeg"
    write_frames([drawn(name, 0) for name in ("trouser", "bag") for _ in range(HELD_FRAMES)], webcam)
    flags = (*FAKE_CAMERA, f"--use-file-for-fake-video-capture={webcam}")
    with serving() as server, chromium(tools.playwright, *flags) as browser, visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 10)
        page.evaluate(RECORD)
        page.evaluate(WATCH_PICTURE)
        page.wait_for_timeout(1e3 * max(SECONDS, 30))
        turns, names = page.evaluate("[turns, names]")
    waits_s = []
    for turned_ms, garment in turns[:-1]:
        shown = [at for at, name in names if at > turned_ms and name == garment]
        waits_s.append((shown[0] - turned_ms) / 1e3 if shown else float("inf"))
    return [
        Row(
            f"new garment to its name, longest of {len(waits_s)}",
            f"{max(waits_s):.2f} s",
            "<= 0.7 s",
            max(waits_s) <= 0.7,
        )
    ]


def device(tools: Tools) -> list[Row]:
    """A video of 30 frames a second in place of the device's camera, watched by one visitor."""
    video = tools.folder / "clip.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    for step in range(90):
        writer.write(drawn("trouser", step % 7))
    writer.release()
    with serving("--camera", str(video)) as server:
        seen, ages = [], []
        number, until_s = 0, time.monotonic() + SECONDS
        while time.monotonic() < until_s:
            reply = ask(server, "watch_camera", {"visitor": "measure", "model": default_model(), "after": number})
            if "number" in reply:
                number = reply["number"]
                seen.append((number, reply["dropped"]))
                ages.append(reply["age_ms"])
    (first, dropped_before), (last, dropped) = seen[10], seen[-1]
    share = 1 - (dropped - dropped_before) / (last - first)
    return [
        Row("device camera, 30 a second: frames classified", f"{share:.1%}", ">= 99 %", share >= 0.99),
        Row("device camera: oldest picture", f"{max(ages[10:]):.0f} ms", "<= 100 ms", max(ages[10:]) <= 100),
    ]


def path(_: Tools) -> list[Row]:
    """Everything but the model in a frame's way."""
    command = [sys.executable, "-m", "edge_app", "bench", "--json"]
    stages = json.loads(subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout)
    p50_ms = sum(stages[stage]["p50"] for stage in ("decode", "preprocess", "decide"))
    return [Row("frame path without the model, p50", f"{p50_ms:.2f} ms", "<= 1 ms", p50_ms <= 1)]


def memory(tools: Tools) -> list[Row]:
    """A page that streams for long, while other visitors send nonsense and huge pictures."""
    jpeg = cv2.imencode(".jpg", np.zeros((2000, 3000), dtype=np.uint8))[1].tobytes()
    huge = base64.b64encode(jpeg).decode()
    with serving() as server, tools.browser_seeing("trouser") as browser, visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 300)
        before_mb, until_s = server.memory_mb(), time.monotonic() + 60 * tools.minutes
        while time.monotonic() < until_s:
            for jpeg in ("", "nonsense", huge, "AAAA"):
                ask(server, "classify_frame", {"visitor": "fault", "model": default_model(), "jpeg": jpeg})
            page.click("#start")
            page.click("#start")
            wait_for_answers(page, 30)
        grown_mb = server.memory_mb() - before_mb
    return [Row(f"memory growth in {tools.minutes:g} minutes", f"{grown_mb:.1f} MB", "< 20 MB", grown_mb < 20)]


def lost(tools: Tools) -> list[Row]:
    """A camera of the network, switched off for some seconds and on again."""
    jpegs = [cv2.imencode(".jpg", drawn("trouser", step))[1].tobytes() for step in range(10)]
    camera = NetworkCameraStandIn(jpegs)
    camera.switch_on()
    with serving("--camera", camera.url) as server, tools.browser_seeing("bag") as browser:
        with visit(browser, server.url) as page:
            page.click("#start")
            wait_for_answers(page, 10)
            camera.switch_off()
            page.wait_for_function(
                "document.querySelector('#state').textContent.startsWith('camera lost')", timeout=30_000
            )
            page.wait_for_timeout(3000)
            camera.switch_on()
            back_s = time.monotonic()
            page.wait_for_function("document.querySelector('#answer').textContent", timeout=30_000)
            waited_s = time.monotonic() - back_s
        camera.switch_off()
    return [Row("camera lost and back: answers again", f"{waited_s:.1f} s", "<= 5 s", waited_s <= 5)]


def vanished(tools: Tools) -> list[Row]:
    """A page that is closed, and a browser that is killed: how long their places stay taken."""
    rows = []
    for how in ("closed", "killed"):
        with serving() as server, tools.browser_seeing("trouser") as browser:
            page = browser.new_context().new_page()
            page.goto(server.url)
            page.click("#start")
            wait_for_answers(page, 10)
            hold(server)
            end(browser, page, how)
            gone_s = time.monotonic()
            while ask(server, "classify_frame", question("ninth"))["state"] == "busy":
                hold(server)
                time.sleep(0.1)
            free_s = time.monotonic() - gone_s
        rows.append(Row(f"place of a visitor whose browser was {how}: free", f"{free_s:.1f} s", "<= 6 s", free_s <= 6))
    return rows


def question(visitor: str) -> dict[str, object]:
    """A frame that is no picture: it takes a place and nothing more."""
    return {"visitor": visitor, "model": default_model(), "jpeg": ""}


def hold(server: Server) -> None:
    """All places but one stay taken."""
    for number in range(PLACES - 1):
        ask(server, "classify_frame", question(str(number)))


def end(browser: Browser, page: Page, how: str) -> None:
    """The page is closed, or its browser killed."""
    if how == "closed":
        page.close()
    else:
        with contextlib.suppress(PlaywrightError):  # it cannot answer any more
            browser.new_browser_cdp_session().send("Browser.crash")


MEASUREMENTS = (start, one, four, slow, change, device, path, memory, lost, vanished)


def main() -> int:
    """Measures what the command line names, and prints the conditions and a row for each figure; 1 if one is missed."""
    about = "\n".join(f"{measure.__name__:10}{measure.__doc__}" for measure in MEASUREMENTS)
    parser = argparse.ArgumentParser(
        prog="scripts/measure-page", epilog=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = {measure.__name__: measure for measure in MEASUREMENTS}
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure (everything)")
    parser.add_argument("--minutes", type=float, default=20, help="of streaming for `memory` (20)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    print(conditions(Classifier.load(default_model())))
    print(f"load before: {os.getloadavg()[0]:.1f}", flush=True)
    status = 0
    with sync_playwright() as playwright:
        for name in options.names or names:
            with tempfile.TemporaryDirectory() as folder:
                for row in names[name](Tools(playwright, Path(folder), options.minutes)):
                    verdict = "reached" if row.reached else "MISSED"
                    status = status if row.reached else 1
                    print(f"{row.what:58}{row.value:>26}  {row.bar:12}{verdict}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
