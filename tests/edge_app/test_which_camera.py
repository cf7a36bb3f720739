"""Which of the browser's cameras is opened, and what the list of them says."""

import re

import pytest
from browser import WITHOUT_CHROMIUM, Server, chromium, visit, wait_for_answers
from playwright.sync_api import Browser, Playwright, expect

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")

LISTEN = """() => {
    window.constraints = [];
    const devices = navigator.mediaDevices;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (wanted) => { constraints.push(wanted.video); return open(wanted); };
}"""
# As a phone's camera says of itself.
FACING = """() => {
    const settings = MediaStreamTrack.prototype.getSettings;
    MediaStreamTrack.prototype.getSettings = function () { return { ...settings.call(this), facingMode: 'user' }; };
}"""
CHOSEN = "constraints.map(({ facingMode, deviceId }) => [facingMode, typeof deviceId?.exact])"


def test_on_a_phone_front_back_and_named_cameras_can_be_chosen(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.evaluate(LISTEN)
        page.evaluate(FACING)
        page.click("#start")
        page.click("#tab-source")
        expect(page.locator("#camera option")).to_have_text(["Front camera", "Back camera", re.compile("fake|mjpeg")])
        wait_for_answers(page, 2)
        for choice in (1, 2):
            page.select_option("#camera", index=choice)
            wait_for_answers(page, 5)
        assert page.evaluate(CHOSEN) == [["user", "undefined"], ["environment", "undefined"], [None, "string"]]


def test_cameras_that_face_nowhere_are_chosen_by_name(server: Server, playwright: Playwright) -> None:
    two = "--use-fake-device-for-media-stream=device-count=2"
    with chromium(playwright, two, "--use-fake-ui-for-media-stream") as browser, visit(browser, server.url) as page:
        page.evaluate(LISTEN)
        page.click("#tab-source")
        page.click("#start")
        wait_for_answers(page, 1)
        expect(page.locator("#camera option")).to_have_text(["fake_device_0", "fake_device_1"])
        assert page.eval_on_selector("#camera", "({ selectedIndex }) => selectedIndex") == 0  # the one that runs
        page.select_option("#camera", index=1)
        wait_for_answers(page, 2)
        assert page.evaluate(CHOSEN) == [["user", "undefined"], [None, "string"]]
        assert page.eval_on_selector("#camera", "({ selectedIndex }) => selectedIndex") == 1
