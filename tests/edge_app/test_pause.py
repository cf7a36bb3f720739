"""A pause: the picture stands, and is asked about again when something else is wished."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import (
    ANSWER_TIMEOUT_MS,
    WITHOUT_CHROMIUM,
    Server,
    answers,
    ask,
    drawn,
    serving,
    visit,
    wait_for_answers,
    write_film,
)
from playwright.sync_api import Browser, expect

from edge_app.models import default_model

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")


def test_a_pause_keeps_picture_and_answer(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.click("#pause")
        page.wait_for_timeout(300)
        stopped_at = answers(page)
        page.wait_for_timeout(700)
        assert answers(page) == stopped_at
        assert page.inner_text("#answer") == "Trouser"
        assert re.fullmatch(r"sure: \d+ % \(paused\)", page.inner_text("#state"))
        for hidden in ("true", "false"):  # the tab is left, and visited again
            page.evaluate(
                f"""() => {{
                    Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }});
                    document.dispatchEvent(new Event('visibilitychange'));
                }}"""
            )
            page.wait_for_timeout(500)
            assert page.inner_text("#answer") == "Trouser"
        assert answers(page) == stopped_at
        page.click("#pause")
        wait_for_answers(page, 5)
        assert re.fullmatch(r"sure: \d+ %", page.inner_text("#state"))


def test_of_the_devices_camera_a_pause_keeps_the_picture_that_was_answered(browser: Browser, tmp_path: Path) -> None:
    film = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 15, (640, 480))
    for number in range(60):
        film.write(np.roll(drawn("trouser", 0), 10 * number, axis=1))
    film.release()
    with serving("--camera", str(tmp_path / "film.avi")) as server, visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 10)
        for _ in range(5):  # each time a question is under way
            shown = page.evaluate(
                "() => { document.querySelector('#pause').click(); return document.querySelector('#picture').src; }"
            )
            page.wait_for_timeout(400)
            assert page.eval_on_selector("#picture", "picture => picture.src") == shown
            page.click("#pause")
            wait_for_answers(page, 3)


def test_of_a_picture_that_stands_another_model_and_another_part_are_asked(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.click("#pause")
        page.select_option("#model", "cnn3")
        expect(page.locator("#answer")).to_have_attribute("data-model", "cnn3", timeout=ANSWER_TIMEOUT_MS)
        assert re.fullmatch(r"\w+: .* \(paused\)", page.inner_text("#state"))
        count = answers(page)
        page.fill("#threshold", "0.95")
        page.focus("#region")
        page.keyboard.press("Shift+ArrowLeft")
        page.wait_for_function("count => Number(document.querySelector('#stats').dataset.answers) > count", arg=count)
        page.click("#tab-explore")  # and where it lies
        expect(page.locator("#nearest")).to_contain_text("Nearest", timeout=ANSWER_TIMEOUT_MS)
        assert count < answers(page) < count + 20
        page.wait_for_timeout(700)
        stopped_at = answers(page)
        page.wait_for_timeout(700)
        assert answers(page) == stopped_at
        page.evaluate("for (let i = 0; i < 2; i++) document.querySelector('#pause').click()")
        assert page.inner_text("#state").count("(paused)") == 1
        page.click("#pause")
        wait_for_answers(page, 5)


def test_wishes_that_change_without_end_keep_no_picture_from_being_asked(server: Server, browser: Browser) -> None:
    """As while a slider or the part is dragged: more often than the camera gives pictures."""
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        page.evaluate("setInterval(() => document.querySelector('#threshold').dispatchEvent(new Event('input')), 5)")
        wait_for_answers(page, 10)


def test_of_the_devices_picture_too(browser: Browser, tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "trousers.png"), drawn("trouser", 0))
    with serving("--camera", str(tmp_path)) as server, visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.click("#pause")
        page.select_option("#model", "vgg19")
        expect(page.locator("#answer")).to_have_attribute("data-model", "vgg19", timeout=ANSWER_TIMEOUT_MS)
        assert page.inner_text("#state").endswith("(paused)")


def test_when_all_places_are_taken_it_is_asked_again_until_one_is_free(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        page.click("#pause")
        page.wait_for_timeout(5500)  # its own lease ends
        message = {"model": default_model(), "jpeg": ""}
        with ThreadPoolExecutor(8) as others:
            list(others.map(lambda number: ask(server, "classify_frame", message | {"visitor": str(number)}), range(8)))
        page.select_option("#model", "cnn3")
        expect(page.locator("#state")).to_contain_text("busy: 8 people are looking already")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)  # their leases end
        expect(page.locator("#answer")).to_have_attribute("data-model", "cnn3")


def test_pressed_while_the_camera_is_asked_for_it_holds_the_first_picture(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.evaluate(
            """() => {
                const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
                const allowed = new Promise((resolve) => (window.allow = resolve));
                navigator.mediaDevices.getUserMedia = async (wanted) => (await allowed, open(wanted));
            }"""
        )
        page.click("#start")
        page.click("#pause")
        page.evaluate("allow()")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        assert page.inner_text("#state").endswith("(paused)")
        assert page.eval_on_selector("#video", "(video) => video.paused")
        page.click("#pause")
        wait_for_answers(page, 5)


def test_pressed_before_a_video_plays_it_is_no_fault_of_the_video(
    server: Server, browser: Browser, tmp_path: Path
) -> None:
    write_film([drawn("bag", shift) for shift in range(10)], tmp_path / "bag.webm", fps=10)
    with visit(browser, server.url) as page:
        page.evaluate(
            """() => {
                const play = HTMLMediaElement.prototype.play;
                HTMLMediaElement.prototype.play = function () {
                    HTMLMediaElement.prototype.play = play;
                    const playing = play.call(this);
                    document.querySelector("#pause").click();
                    return playing;
                };
            }"""
        )
        page.set_input_files("#file", tmp_path / "bag.webm")
        expect(page.locator("#answer")).to_have_text("Bag", timeout=ANSWER_TIMEOUT_MS)
        assert page.inner_text("#state").endswith("(paused)")
        page.click("#pause")
        wait_for_answers(page, 5)
