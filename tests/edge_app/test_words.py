"""What is said when something is in the way, in words that name the next step."""

import ipaddress

import pytest
from browser import ANSWER_TIMEOUT_MS, WITHOUT_CHROMIUM, Server, ask, chromium, log_in, serving, visit, wait_for_answers
from playwright.sync_api import Browser, Playwright, expect

from edge_app.models import default_model
from edge_app.page.app import own_address

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")


def on_a_network() -> bool:
    try:
        return not ipaddress.ip_address(own_address()).is_loopback
    except ValueError:
        return False


def test_a_refused_camera(server: Server, playwright: Playwright) -> None:
    with (
        chromium(playwright, "--use-fake-device-for-media-stream", "--deny-permission-prompts") as browser,
        visit(browser, server.url) as page,
    ):
        page.click("#start")
        expect(page.locator("#state")).to_contain_text("refused: the browser may not use the camera. Allow it")
        expect(page.locator("#spoken")).to_contain_text("refused: the browser may not use the camera")
        expect(page.locator("#start")).to_have_text("Start camera")
        assert page.inner_text("#answer") == ""


def test_no_camera(server: Server, playwright: Playwright) -> None:
    flags = ("--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream")
    with chromium(playwright, *flags) as browser, visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#state")).to_contain_text("camera lost: no camera found. Plug one in")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotReadableError", "busy: another program is using the camera. Close it"),
        ("OverconstrainedError", "camera lost: that camera is not there any more. Choose another"),
        ("AbortError", "camera lost: the camera cannot be started (AbortError)"),
    ],
)
def test_a_camera_that_cannot_be_had(server: Server, browser: Browser, error: str, words: str) -> None:
    # Chromium's own webcam never fails in these ways: the browser's answer is given here.
    with visit(browser, server.url) as page:
        page.evaluate(
            "(name) => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name)); }",
            error,
        )
        page.click("#start")
        expect(page.locator("#state")).to_contain_text(words)


def test_a_camera_unplugged_while_it_runs(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        page.eval_on_selector("#video", "({ srcObject }) => srcObject.getTracks()[0].dispatchEvent(new Event('ended'))")
        expect(page.locator("#state")).to_contain_text("camera lost: it has been unplugged or switched off")


@pytest.mark.skipif(not on_a_network(), reason="this machine is in no network")
def test_a_page_that_is_not_secure(browser: Browser) -> None:
    with serving("--host", "0.0.0.0") as server, visit(browser, f"http://{own_address()}:{server.port}/") as page:
        page.click("#start")
        expect(page.locator("#state")).to_contain_text("Open a photo under Picture instead.")
        expect(page.locator("#state")).to_contain_text("--camera auto")


def test_all_places_taken(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        for number in range(8):
            ask(server, "classify_frame", {"visitor": str(number), "model": default_model(), "jpeg": ""})
        page.click("#start")
        expect(page.locator("#state")).to_have_text(
            "busy: 8 people are looking already; it goes on when one of them leaves"
        )
        wait_for_answers(page, 2)  # their leases end


def test_a_logout_while_it_runs(browser: Browser) -> None:
    with serving("--auth", "ann:secret") as server:
        context = browser.new_context()
        page = log_in(context, server.url)
        page.click("#start")
        wait_for_answers(page, 2)
        context.clear_cookies()
        expect(page.locator("#state")).to_have_text(
            "refused: you are logged out. Reload the page to log in.", timeout=ANSWER_TIMEOUT_MS
        )
        for tab, place in (("#tab-teach", "#lesson-words"), ("#tab-explore", "#nearest")):
            page.click(tab)
            expect(page.locator(place)).to_have_text("You are logged out. Reload the page to log in.")
        context.close()
