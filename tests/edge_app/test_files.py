"""Pictures and videos in place of the camera."""

import base64
import re
import wave
from pathlib import Path

import cv2
import pytest
from browser import ANSWER_TIMEOUT_MS, WITHOUT_CHROMIUM, Server, answers, drawn, visit, wait_for_answers, write_film
from playwright.sync_api import Browser, Page, expect

from edge_app.models import assets_dir

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")

BAG = assets_dir() / "examples" / "bag.png"
# Makes the file that a person would drop or paste.
TRANSFER = """
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], 'bag.png', { type: 'image/png' }));
"""


def bag_is_named(page: Page) -> bool:
    expect(page.locator("#answer")).to_have_text("Bag", timeout=ANSWER_TIMEOUT_MS)
    expect(page.locator("#picture")).to_be_visible()
    return bool(page.eval_on_selector("#picture", "(picture) => picture.naturalWidth === 480"))


def test_a_picture_is_named_once_and_again_when_something_else_is_wished(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.set_input_files("#file", BAG)
        assert bag_is_named(page)
        assert page.inner_text("#start") == "Stop"
        assert re.fullmatch(r"[\d.]+ ms to classify · \d+ ms behind", page.inner_text("#stats"))
        page.wait_for_timeout(500)
        assert answers(page) == 1
        page.fill("#threshold", "0.95")
        expect(page.locator("#stats")).to_have_attribute("data-answers", "2")
        page.click("#tab-details")
        expect(page.locator("#input")).to_be_visible(timeout=ANSWER_TIMEOUT_MS)
        page.click("#start")
        expect(page.locator("#state")).to_have_text("ready: press Start camera")
        expect(page.locator("#picture")).to_be_hidden()


def test_a_picture_can_be_dropped_or_pasted_while_the_camera_runs(server: Server, browser: Browser) -> None:
    content = base64.b64encode(BAG.read_bytes()).decode("ascii")
    options = "{ dataTransfer: transfer, bubbles: true, cancelable: true }"
    dropping = f"document.querySelector('#view').dispatchEvent(new DragEvent('drop', {options}))"
    pasting = "document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer }))"
    for action in (dropping, pasting):
        with visit(browser, server.url) as page:
            page.click("#start")
            expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
            page.evaluate(f"(content) => {{ {TRANSFER} {action}; }}", content)
            assert bag_is_named(page)
            assert page.eval_on_selector("#video", "(video) => video.srcObject") is None


def test_who_pastes_text_ends_no_camera(server: Server, browser: Browser) -> None:
    """Spreadsheets add a picture to their cells, file managers a name to a file, browsers HTML to a copied picture."""
    content = base64.b64encode(BAG.read_bytes()).decode("ascii")
    script = """([content, texts, place]) => {
        %s
        for (const [type, text] of Object.entries(texts)) transfer.items.add(text, type);
        const event = new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true });
        document.querySelector(place).dispatchEvent(event);
    }"""

    def paste(texts: dict[str, str], place: str) -> None:
        page.evaluate(script % TRANSFER, [content, texts, place])

    cells = {"text/plain": "a\tb", "text/html": "<table><tr><td>a</td><td>b</td></tr></table>"}
    copied = {"text/plain": "bag.png", "text/html": "<meta charset='utf-8'><img src='bag.png' alt='a bag'>"}

    with visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.click("#tab-teach")
        paste({"text/plain": "a"}, "#lesson-name")
        paste(cells, "#lesson-name")
        paste(cells, "body")
        wait_for_answers(page, 5)
        assert page.inner_text("#answer") == "Trouser"
        paste({"text/plain": "bag.png"}, "body")
        assert bag_is_named(page)
    for texts, place in ((copied, "body"), ({}, "#lesson-name")):
        with visit(browser, server.url) as page:
            page.click("#tab-teach")
            paste(texts, place)
            assert bag_is_named(page)


def test_a_video_is_named_again_and_again(server: Server, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "bag.webm"
    write_film([drawn("bag", shift) for shift in range(10)], path, fps=10)
    with visit(browser, server.url) as page:
        page.set_input_files("#file", path)
        expect(page.locator("#answer")).to_have_text("Bag", timeout=ANSWER_TIMEOUT_MS)
        wait_for_answers(page, 15)  # longer than the video
        assert "mirrored" not in (page.get_attribute("#view", "class") or "")
        page.click("#start")  # the stop button
        page.click("#start")  # and the camera again
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)


@pytest.mark.parametrize("name", ["notes.txt", "broken.png", "broken.mp4"])
def test_what_the_browser_cannot_show_is_said(server: Server, browser: Browser, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("neither picture nor video")
    with visit(browser, server.url) as page:
        page.set_input_files("#file", tmp_path / name)
        expect(page.locator("#state")).to_have_text(
            "refused: this file is no picture or video that the browser can show. Try another."
        )


def test_what_the_page_may_not_read_is_said(server: Server, browser: Browser, tmp_path: Path) -> None:
    """A drawing that holds a piece of a page: the browser shows it, and gives nobody its pixels."""
    foreign = '<foreignObject width="9" height="9"><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>'
    (tmp_path / "a.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{foreign}</svg>')
    with visit(browser, server.url) as page:
        page.set_input_files("#file", tmp_path / "a.svg")
        expect(page.locator("#state")).to_have_text(
            "refused: the page cannot use this picture (SecurityError). Try another."
        )
        page.click("#start")
        wait_for_answers(page, 2)


def test_the_projects_drawings_can_be_tried(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#tab-source")
        assert page.locator("#examples button").count() == 10
        for drawing, name in (("dress", "Dress"), ("t shirt", "T-shirt/top"), ("bag", "Bag")):
            page.get_by_role("button", name=f"Drawing: {drawing}").click()
            expect(page.locator("#answer")).to_have_text(name, timeout=ANSWER_TIMEOUT_MS)


def test_a_video_of_pictures_that_stand_for_long_is_no_lost_camera(
    server: Server, browser: Browser, tmp_path: Path
) -> None:
    write_film([drawn("bag", shift) for shift in range(3)], tmp_path / "slides.webm", fps=0.2)
    with visit(browser, server.url) as page:
        page.set_input_files("#file", tmp_path / "slides.webm")
        expect(page.locator("#answer")).to_have_text("Bag", timeout=4000)  # the first, while it stands
        page.wait_for_timeout(3500)  # a camera's longest
        assert page.inner_text("#answer") == "Bag"
        page.select_option("#model", "cnn3")
        expect(page.locator("#answer")).to_have_attribute("data-model", "cnn3", timeout=4000)


def test_a_video_without_pictures_is_said(server: Server, browser: Browser, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    content = base64.b64encode((tmp_path / "sound.wav").read_bytes()).decode("ascii")
    with visit(browser, server.url) as page:
        page.set_input_files(
            "#file", {"name": "film.mp4", "mimeType": "video/mp4", "buffer": base64.b64decode(content)}
        )
        expect(page.locator("#state")).to_have_text(
            "refused: this file is no picture or video that the browser can show. Try another."
        )


def test_an_upright_picture_gets_the_room_on_a_phone(server: Server, browser: Browser, tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "upright.png"), cv2.rotate(drawn("bag", 0), cv2.ROTATE_90_CLOCKWISE))
    with visit(browser, server.url, size=(360, 640)) as page:
        for count, name, size in ((1, tmp_path / "upright.png", (216, 288)), (2, BAG, (180, 180))):
            page.set_input_files("#file", name)
            expect(page.locator("#stats")).to_have_attribute("data-answers", str(count), timeout=ANSWER_TIMEOUT_MS)
            shown = page.eval_on_selector("#view", "(view) => [view.clientWidth, view.clientHeight]")
            assert shown == pytest.approx(size, abs=1)
