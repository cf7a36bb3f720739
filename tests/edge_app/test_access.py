"""Who can use the page: small and large screens, light and dark, keyboards, screen readers."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import DESKTOP, PHONE, STATES, WITHOUT_CHROMIUM, Scheme, Server, visit, wait_for_answers
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")

TABS = ("model", "source", "details", "explore", "snapshots", "teach")


def barriers(page: Page) -> list[str]:
    """What axe-core finds fault with."""
    return [violation["id"] for violation in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_picture_and_answer_fit_the_screen(server: Server, browser: Browser, size: tuple[int, int]) -> None:
    with visit(browser, server.url, size) as page:
        for element in ("start", "answer", "state", "bars", "model", "stats"):
            assert page.locator(f"[id={element}]").count() == 1
        assert page.inner_text("#state").startswith(STATES)
        assert page.inner_text("#answer") == ""
        page.click("#start")
        wait_for_answers(page, 20)
        for element in ("#video", "#answer", "#state", "#bars", "#model", "#stats"):
            box = page.locator(element).bounding_box()
            assert box is not None
            assert box["x"] >= 0 and box["y"] >= 0
            assert box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1]
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", [(375, 553), (320, 568), (640, 360), DESKTOP, PHONE])
def test_the_choices_have_room_on_every_screen(server: Server, browser: Browser, size: tuple[int, int]) -> None:
    with visit(browser, server.url, size) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        page.click("#pause")
        title, button = page.locator("h1").bounding_box(), page.get_by_role("button", name="Continue").bounding_box()
        assert title is not None and button is not None
        assert title["x"] + title["width"] <= button["x"]
        for tab in TABS:
            page.click(f"#tab-{tab}")
            assert page.eval_on_selector(f"#panel-{tab}", "(panel) => panel.clientHeight") >= 240
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", [(800, 480), (844, 390), (1024, 600), DESKTOP, PHONE])
def test_the_start_button_lies_on_the_picture(server: Server, browser: Browser, size: tuple[int, int]) -> None:
    with visit(browser, server.url, size) as page:
        picture, button = page.locator(".stage").bounding_box(), page.locator("#start").bounding_box()
        assert picture is not None and button is not None
        assert picture["x"] < button["x"] and button["x"] + button["width"] < picture["x"] + picture["width"]
        assert picture["y"] < button["y"] and button["y"] + button["height"] < picture["y"] + picture["height"]


def test_a_finger_scrolls_the_page_over_the_picture_and_drags_a_part_sideways(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 800, "height": 480}, has_touch=True)
    page = context.new_page()
    page.goto(server.url)
    page.click("#start")
    wait_for_answers(page, 2)
    touch = context.new_cdp_session(page)

    def swipe(start: tuple[int, int], end: tuple[int, int]) -> None:
        for step in range(11):
            x, y = (round(a + (b - a) * step / 10) for a, b in zip(start, end, strict=True))
            kind = "touchMove" if step else "touchStart"
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            page.wait_for_timeout(20)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    swipe((200, 300), (230, 120))
    page.wait_for_function("() => scrollY > 50")
    assert page.is_disabled("#whole")
    page.evaluate("scrollTo(0, 0)")
    swipe((120, 150), (320, 240))
    assert page.is_enabled("#whole")
    page.dblclick("#region")
    assert page.is_disabled("#whole")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_axe_finds_no_barrier(server: Server, browser: Browser, size: tuple[int, int], scheme: Scheme) -> None:
    with visit(browser, server.url, size, scheme) as page:
        assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
        assert barriers(page) == []
        page.click("#start")
        wait_for_answers(page, 5)
        for tab in TABS:
            page.click(f"#tab-{tab}")
            if tab == "snapshots":
                page.click("#keep")
                expect(page.locator("#snapshots li")).to_have_count(1)
            assert barriers(page) == []


def test_axe_finds_the_barriers_there_are(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.evaluate("document.querySelector('#model').removeAttribute('aria-label')")
        assert barriers(page) == ["select-name"]


def test_everything_can_be_reached_and_used_by_keyboard(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.focus("#start")
        page.keyboard.press("Enter")
        wait_for_answers(page, 5)
        page.focus("#region")
        reached = []
        for _ in range(6):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id"))
        assert reached == ["start", "pause", "tab-model", "panel-model", "model", "threshold"]

        page.focus("#tab-model")
        for key, opened in (
            ("ArrowRight", "source"),
            ("End", "teach"),
            ("ArrowRight", "model"),
            ("ArrowLeft", "teach"),
        ):
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.id") == f"tab-{opened}"
            expect(page.locator(f"#panel-{opened}")).to_be_visible()
            assert page.locator("[role=tabpanel]:visible").count() == 1
