"""The page in a real Chromium, with a webcam stream made here of the drawn trousers."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import (
    ANSWER_TIMEOUT_MS,
    DESKTOP,
    ROOT,
    WITHOUT_CHROMIUM,
    Server,
    answers,
    drawn,
    listen,
    log_in,
    serving,
    visit,
    wait_for_answers,
)
from playwright.sync_api import Browser, Playwright, expect

from edge_app.models import contracts, default_model

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")


def test_a_garment_is_named_live_with_any_model_and_no_request_leaves_the_machine(
    server: Server, browser: Browser
) -> None:
    names = [contract.name for contract in contracts()]
    with visit(browser, server.url) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        assert page.input_value("#model") == default_model()
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        assert page.inner_text("#state").startswith("sure: ")
        assert page.inner_text("#bars li:first-child .name") == "Trouser"
        assert page.locator("#bars li").count() == 3

        page.evaluate(
            """() => {
                window.changes = 0;
                const answer = document.querySelector('#answer');
                new MutationObserver(() => changes++).observe(answer, { childList: true, characterData: true });
            }"""
        )
        before, started_s = answers(page), time.monotonic()
        page.wait_for_timeout(4000)
        assert page.evaluate("changes") == 0  # no flicker
        assert (answers(page) - before) / (time.monotonic() - started_s) >= 15
        assert 0 < float(page.get_attribute("#stats", "data-frame-age-ms") or 0) < 1000
        assert "frames/s" in page.inner_text("#stats")

        for name in (names[0], names[-1], default_model()):
            page.select_option("#model", name)
            expect(page.locator("#answer")).to_have_attribute("data-model", name, timeout=ANSWER_TIMEOUT_MS)
            wait_for_answers(page, 10)
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)

        assert server.memory_mb() < 300
        page.click("#start")  # it has become the stop button
        expect(page.locator("#state")).to_have_text("ready: press Start camera")
        assert page.inner_text("#stats") == ""
        stopped_at = answers(page)
        page.wait_for_timeout(500)
        assert answers(page) == stopped_at
    hosts = {url.split("/")[2] for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {f"127.0.0.1:{server.port}"}


def test_what_can_be_named_and_what_cannot_is_said_for_each_model(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        for contract in contracts():
            page.select_option("#model", contract.name)
            expect(page.locator("#nameable")).to_contain_text("T-shirt/top, Trouser, Pullover")
            shop = "shop pictures only" in page.inner_text("#limits")
            assert shop == (contract.variant == "fashion-mnist")


def test_a_screen_reader_hears_a_name_once_it_stands(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        heard = listen(page)
        page.keyboard.press("Tab")
        page.focus("#start")
        page.keyboard.press("Enter")
        expect(page.locator("#spoken")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        wait_for_answers(page, 30)
        assert heard().count("Trouser") == 1


def test_a_screen_reader_hears_that_nothing_is_in_view_and_a_name_that_comes_back(
    browser: Browser, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).normal(170, 4, (480, 640, 3))
    assert cv2.imwrite(str(tmp_path / "1.png"), drawn("bag", 0))
    assert cv2.imwrite(str(tmp_path / "2.png"), noise.astype(np.uint8))  # an empty room
    with serving("--camera", str(tmp_path)) as server, visit(browser, server.url) as page:
        heard = listen(page)
        page.click("#start")
        page.wait_for_function("heard.length === 4", timeout=ANSWER_TIMEOUT_MS)
        assert heard() == ["looking", "Bag", "nothing", "Bag"]


def test_what_is_hidden_is_not_displayed(browser: Browser, tmp_path: Path) -> None:
    displayed = """[...document.querySelectorAll('.edge [hidden]')]
        .filter((node) => getComputedStyle(node).display !== 'none').map(({ id }) => id)"""
    assert cv2.imwrite(str(tmp_path / "trousers.png"), drawn("trouser", 0))
    with serving("--camera", str(tmp_path)) as server, visit(browser, server.url) as page:
        assert page.evaluate(displayed) == []
        page.click("#start")
        page.click("#tab-details")
        expect(page.locator("#input")).to_be_visible(timeout=ANSWER_TIMEOUT_MS)
        assert page.evaluate(displayed) == []
        page.click("#start")  # the stop button
        expect(page.locator("#input")).to_be_hidden()
        assert page.get_attribute("#input", "src") is None
        page.click("#tab-source")
        expect(page.locator("#camera")).to_be_hidden()  # the device's own is the only one
        assert page.evaluate(displayed) == []


def test_a_hidden_tab_sends_nothing(server: Server, browser: Browser) -> None:
    # Chromium without a screen never hides a page: it is told that it is hidden.
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 5)
        page.evaluate(
            """() => {
                Object.defineProperty(document, 'hidden', { value: true, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
            }"""
        )
        expect(page.locator("#state")).to_have_text("looking: paused while this tab is hidden")
        assert (page.inner_text("#answer"), page.inner_text("#stats")) == ("", "")
        dropped = int(page.get_attribute("#stats", "data-dropped") or 0)
        page.evaluate(  # as if a hundred thousand pictures passed meanwhile
            """() => {
                const video = document.querySelector('#video');
                const ask = video.requestVideoFrameCallback.bind(video);
                video.requestVideoFrameCallback = (tell) => ask((now, { captureTime, presentedFrames }) =>
                    tell(now, { captureTime, presentedFrames: presentedFrames + 100000 }));
            }"""
        )
        page.wait_for_timeout(300)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(1000)
        assert [url for url in asked if "component_server" in url] == []
        page.evaluate(
            """() => {
                delete document.hidden;
                document.dispatchEvent(new Event('visibilitychange'));
            }"""
        )
        wait_for_answers(page, 5)
        assert int(page.get_attribute("#stats", "data-dropped") or 0) < dropped + 100_000


def test_a_device_camera_is_shown_and_named_behind_a_login(
    playwright: Playwright, browser: Browser, tmp_path: Path
) -> None:
    assert cv2.imwrite(str(tmp_path / "trousers.png"), drawn("trouser", 0))
    with serving("--camera", str(tmp_path), "--auth", "ann:secret") as server:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            is_json = {"Content-Type": "application/json"}
            question = urllib.request.Request(server.url + "gradio_api/component_server", b"{}", is_json)
            urllib.request.urlopen(question, timeout=10)
        context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
        page = log_in(context, server.url)
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        expect(page.locator("#picture")).to_be_visible()
        wait_for_answers(page, 10)
        page.evaluate(
            """() => {
                window.states = [];
                const state = document.querySelector('#state');
                new MutationObserver(() => states.push(state.textContent)).observe(state, { childList: true });
                for (let i = 0; i < 4; i++) document.querySelector('#start').click();
            }"""
        )
        wait_for_answers(page, 10)
        assert page.evaluate("states.filter((words) => words.startsWith('busy'))") == []
        status, printed = server.stop()
        assert (status, "secret" in printed) == (0, False)
        expect(page.locator("#state")).to_have_text("looking: the server does not answer; trying again", timeout=10_000)
        context.close()


def test_what_cannot_be_served_is_said_before_anything_is(tmp_path: Path) -> None:
    for options, words in (
        (("--camera", str(tmp_path / "none.mp4")), "no such camera, file or folder"),
        (("--model", "cnn9"), "no model 'cnn9'"),
        (("--auth", "ann"), "--auth: expected USER:PASSWORD"),
    ):
        command = [sys.executable, "-m", "edge_app", *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
