"""The map on the page, in a real Chromium with the drawn trousers before its webcam."""

import re

import pytest
from browser import ANSWER_TIMEOUT_MS, DESKTOP, PHONE, WITHOUT_CHROMIUM, Server, asked, hold, visit, wait_for_answers
from playwright.sync_api import Browser, Page, expect

from edge_app.models import contracts, default_model

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")

# How many different colours are drawn: points, names and dot.
COLOURS = """(map) => {
    const { data } = map.getContext('2d').getImageData(0, 0, map.width, map.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


def place(page: Page) -> tuple[float, float]:
    """Where the live picture lies."""
    expect(page.locator("#map")).to_have_attribute("data-place", re.compile(r"\S+ \S+"), timeout=ANSWER_TIMEOUT_MS)
    x, y = (page.get_attribute("#map", "data-place") or "").split()
    return float(x), float(y)


def test_the_live_picture_lies_among_its_kind(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#tab-explore")
        expect(page.locator("#nearest")).to_contain_text("Start the camera")
        assert page.eval_on_selector("#map", COLOURS) > 50
        assert page.is_hidden("#axis-to")
        page.click("#start")
        expect(page.locator("#nearest")).to_contain_text("Trouser", timeout=ANSWER_TIMEOUT_MS)

        page.select_option("#axis-from", "Bag")
        page.select_option("#axis-to", "Trouser")
        expect(page.locator("#along")).to_have_text(re.compile(r"\d+ %"), timeout=ANSWER_TIMEOUT_MS)
        assert asked(page)["axis"] == ["Bag", "Trouser"]
        wait_for_answers(page, 3)
        assert place(page)[0] > 0.5
        page.select_option("#axis-to", "Bag")  # no axis: said, and another can be chosen
        expect(page.locator("#nearest")).to_contain_text("no axis between")
        page.select_option("#axis-to", "Coat")
        expect(page.locator("#nearest")).to_contain_text("Trouser", timeout=ANSWER_TIMEOUT_MS)

        page.click("#start")  # stops
        expect(page.locator("#map")).to_have_attribute("data-place", "")
        expect(page.locator("#nearest")).to_contain_text("Start the camera")


def test_the_arrow_keys_open_it_as_a_click_does(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.focus("#tab-details")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#nearest")).to_contain_text("Start the camera")
        expect(page.locator("#tab-explore")).to_be_focused()


def test_a_late_map_does_not_take_a_newer_ones_place(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#tab-explore")
        page.select_option("#axis-from", "Bag")
        page.select_option("#axis-to", "Trouser")
        expect(page.locator("#nearest")).to_contain_text("Start the camera")
        held = hold(page, "known_garments")
        page.select_option("#axis-to", "Bag")
        page.select_option("#axis-to", "Coat")
        page.click("#start")
        expect(page.locator("#nearest")).to_contain_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        held[0].continue_()
        wait_for_answers(page, 20)
        expect(page.locator("#nearest")).to_contain_text("Trouser")


def test_every_model_has_a_map_of_its_own(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        page.click("#tab-explore")
        for name in (contracts()[0].name, default_model()):
            page.click("#tab-model")
            page.select_option("#model", name)
            page.click("#tab-explore")
            expect(page.locator("#answer")).to_have_attribute("data-model", name, timeout=ANSWER_TIMEOUT_MS)
            expect(page.locator("#nearest")).to_contain_text("Nearest: ", timeout=ANSWER_TIMEOUT_MS)
            assert page.input_value("#axis-from") == ""


def test_the_place_is_asked_for_only_while_the_map_is_open(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        for tab, wanted in (("model", False), ("explore", True), ("details", False)):
            page.click(f"#tab-{tab}")
            wait_for_answers(page, 2)
            assert asked(page)["show_place"] is wanted


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_it_fits_the_screen(server: Server, browser: Browser, size: tuple[int, int]) -> None:
    with visit(browser, server.url, size) as page:
        page.click("#start")
        page.click("#tab-explore")
        place(page)
        page.select_option("#axis-from", "Coat")
        expect(page.locator("#along")).to_have_text(re.compile(r"\d+ %"), timeout=ANSWER_TIMEOUT_MS)
        for element in ("#tab-model", "#tab-teach", "#nearest", "#map", "#axis-from", "#axis-to", "#along"):
            box = page.locator(element).bounding_box()
            assert box is not None
            assert box["x"] >= 0 and box["x"] + box["width"] <= size[0]
            assert box["y"] + box["height"] <= size[1]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
