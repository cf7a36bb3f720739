"""What becomes of a lesson that is not recorded whole, in a real Chromium with the drawn trousers before its webcam."""

import re

import pytest
from browser import ANSWER_TIMEOUT_MS, WITHOUT_CHROMIUM, Server, serving, visit, wait_for_answers
from playwright.sync_api import Browser, Page, expect
from test_teach_page import TAUGHT_MS, begin_lesson, own_folder

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")
__all__ = ["own_folder"]  # a fixture


def wait_for_pictures(page: Page, count: int) -> None:
    page.wait_for_function("(count) => document.querySelector('#recorded').value >= count", arg=count)


def test_a_name_that_cannot_be_taught_is_not_recorded(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        page.click("#tab-teach")
        expect(page.locator("#lesson-words")).to_contain_text("They are kept in this browser, under Snapshots.")
        page.fill("#lesson-name", "<b>")
        page.evaluate(
            """() => {
                window.wasRecorded = false;
                const bar = document.querySelector('#recorded');
                new MutationObserver(() => (window.wasRecorded = true)).observe(bar, { attributeFilter: ['value'] });
            }"""
        )
        page.click("#record")
        expect(page.locator("#lesson-words")).to_contain_text("'<b>' is no name")
        expect(page.locator("#lesson-words")).to_contain_text("Choose another.")
        expect(page.locator("#record")).to_be_enabled()
        assert page.evaluate("window.wasRecorded") is False


def test_who_stops_the_camera_teaches_nothing(browser: Browser) -> None:
    """Also who starts it again at once."""
    with serving() as server, visit(browser, server.url) as page:
        begin_lesson(page)
        wait_for_pictures(page, 2)
        page.click("#start")
        words = "The recording was stopped: nothing is learned."
        expect(page.locator("#lesson-words")).to_have_text(words, timeout=2000)
        begin_lesson(page)
        wait_for_pictures(page, 2)
        page.evaluate("() => { for (const _ of [1, 2]) document.querySelector('#start').click(); }")
        expect(page.locator("#lesson-words")).to_have_text(words, timeout=2000)
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        expect(page.locator("#taught li")).to_have_count(0)
        page.click("#tab-snapshots")
        expect(page.locator("#kept")).to_have_text("Nothing is kept.")


@pytest.mark.parametrize("end", ["lost", "paused"])
def test_of_how_few_pictures_it_is_learned_is_said(browser: Browser, end: str) -> None:
    with serving() as server, visit(browser, server.url) as page:
        begin_lesson(page)
        wait_for_pictures(page, 2)
        if end == "lost":
            lose = "({ srcObject }) => srcObject.getTracks()[0].dispatchEvent(new Event('ended'))"
            page.eval_on_selector("#video", lose)
        else:
            page.click("#pause")
        expect(page.locator("#lesson-words")).to_contain_text("is learned", timeout=TAUGHT_MS)
        count = page.eval_on_selector("#recorded", "(bar) => bar.value")
        assert 2 <= count < 10
        words = f"Shorts is learned from only {count} of 10 pictures. Its pictures are under Snapshots, too."
        expect(page.locator("#lesson-words")).to_contain_text(words)
        expect(page.locator("#taught li")).to_have_text(re.compile(f"Shorts{count} pictures"))
