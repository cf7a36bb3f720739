"""The page when what it hangs on is slow, stops, or is out of sight."""

import cv2
import pytest
from browser import WITHOUT_CHROMIUM, Server, answers, drawn, serving, visit, wait_for_answers
from links import NetworkCameraStandIn, SlowLink
from playwright.sync_api import Browser, Request, expect

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")


def test_over_a_slow_link_one_question_is_open_and_no_queue_builds_up(server: Server, browser: Browser) -> None:
    link = SlowLink(server.port, delay_s=0.1, bytes_per_s=125_000)
    open_now: set[Request] = set()
    open_at_once: list[int] = []

    def asked(request: Request) -> None:
        if "component_server" in request.url:
            open_now.add(request)
            open_at_once.append(len(open_now))

    def answered(request: Request) -> None:
        open_now.discard(request)

    with visit(browser, f"http://127.0.0.1:{link.port}/") as page:
        page.on("request", asked)
        page.on("requestfinished", answered)
        page.click("#start")
        wait_for_answers(page, 5)
        link.slow = True
        page.wait_for_timeout(6000)
        before = answers(page)
        page.wait_for_timeout(3000)
        assert 4 <= answers(page) - before <= 15  # a question takes 200 ms at least
        assert 200 <= float(page.get_attribute("#stats", "data-frame-age-ms") or 0) <= 1500
    link.close()
    assert max(open_at_once) == 1


def test_a_camera_of_the_network_is_lost_and_comes_back(browser: Browser) -> None:
    camera = NetworkCameraStandIn([cv2.imencode(".jpg", drawn("trouser", step))[1].tobytes() for step in range(10)])
    camera.switch_on()
    try:
        with serving("--camera", camera.url) as server, visit(browser, server.url) as page:
            page.click("#start")
            expect(page.locator("#answer")).to_have_text("Trouser", timeout=15_000)
            camera.switch_off()
            expect(page.locator("#state")).to_contain_text("camera lost: http://127.0.0.1", timeout=15_000)
            assert page.inner_text("#answer") == ""
            camera.switch_on()
            expect(page.locator("#answer")).to_have_text("Trouser", timeout=15_000)
    finally:
        camera.switch_off()


def test_a_page_in_a_tab_of_gradios_that_is_not_shown_sends_nothing(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 5)
        shown = "(shown) => { document.querySelector('.edge').parentElement.style.display = shown ? '' : 'none'; }"
        page.evaluate(shown, False)
        expect(page.locator("#state")).to_have_text("looking: paused while this tab is hidden")
        stopped_at = answers(page)
        page.wait_for_timeout(1000)
        assert answers(page) == stopped_at
        page.evaluate(shown, True)
        wait_for_answers(page, 5)
