"""What a visitor may choose on the page, by what is then sent to the server."""

import base64
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import (
    ANSWER_TIMEOUT_MS,
    FAKE_CAMERA,
    ROOT,
    WITHOUT_CHROMIUM,
    Server,
    asked,
    chromium,
    drawn,
    listen,
    serving,
    visit,
    wait_for_answers,
    write_frames,
)
from playwright.sync_api import Browser, Page, Playwright, Route, expect

from edge_app.models import assets_dir, contracts, default_model
from edge_app.occlusion import SHOWN_PX

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")

RED, GREEN, BLUE, YELLOW = (200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)


@pytest.fixture(scope="module")
def quarters(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose webcam sees four colours: red and green above, blue and yellow below."""
    frame_rgb = np.zeros((480, 640, 3), dtype=np.uint8)
    frame_rgb[:240, :320], frame_rgb[:240, 320:], frame_rgb[240:, :320], frame_rgb[240:, 320:] = (
        RED,
        GREEN,
        BLUE,
        YELLOW,
    )
    path = tmp_path_factory.mktemp("quarters") / "quarters.mjpeg"
    write_frames([np.ascontiguousarray(frame_rgb[..., ::-1])] * 2, path)
    with chromium(playwright, *FAKE_CAMERA, f"--use-file-for-fake-video-capture={path}") as browser:
        yield browser


def sent(page: Page) -> list[tuple[int, int, int]]:
    """The colours of the four quarters of the next frame sent, each 0 or 200; its size is 320x240."""
    jpeg = base64.b64decode(asked(page)["jpeg"])
    frame_bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert frame_bgr is not None and frame_bgr.shape == (240, 320, 3)
    corners = [frame_bgr[y, x, ::-1] for y in (60, 180) for x in (80, 240)]
    red, green, blue = ([200 * int(colour[channel] > 100) for colour in corners] for channel in range(3))
    return list(zip(red, green, blue, strict=True))


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """The mouse, from one place of the shown picture to another; shares of its width and height."""
    box = page.locator("#view").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=3)
    page.mouse.up()


def region(page: Page) -> list[int]:
    """Left, top, width and height of the guide in percent of the picture."""
    style = page.eval_on_selector("#region", "({ style }) => [style.left, style.top, style.width, style.height]")
    return [round(float(length.rstrip("%"))) for length in style]


def test_the_region_is_dragged_and_only_it_is_sent(server: Server, quarters: Browser) -> None:
    with visit(quarters, server.url) as page:
        page.click("#start")
        assert sent(page) == [RED, GREEN, BLUE, YELLOW]  # shown mirrored, sent as it is
        drag(page, (0.98, 0.98), (0.5, 0.5))  # a corner of the mirrored picture: the lower left of the real one
        assert region(page) == [50, 0, 50, 50]
        assert sent(page) == [GREEN] * 4
        drag(page, (0.25, 0.25), (0.75, 0.75))  # the whole region
        assert region(page) == [0, 50, 50, 50]
        assert sent(page) == [BLUE] * 4
        page.click("#tab-source")
        page.click("#whole")
        assert sent(page) == [RED, GREEN, BLUE, YELLOW]
        assert page.is_disabled("#whole")
        drag(page, (0.25, 0.25), (0.75, 0.75))  # across the whole picture: a new region
        assert region(page) == [25, 25, 50, 50]


def test_only_one_finger_or_the_left_button_picks_a_part(server: Server, quarters: Browser) -> None:
    press = """([kind, id, options, x, y]) => {
        const region = document.querySelector("#region");
        const box = region.getBoundingClientRect();
        const [clientX, clientY] = [box.left + x * box.width, box.top + y * box.height];
        region.setPointerCapture = () => {};
        region.dispatchEvent(new PointerEvent(kind, { pointerId: id, clientX, clientY, bubbles: true, ...options }));
    }"""
    first: dict[str, object] = {"isPrimary": True}
    second: dict[str, object] = {"isPrimary": False}
    with visit(quarters, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 1)

        def is_whole_after(*events: tuple[str, int, dict[str, object], float, float]) -> bool:
            for event in events:
                page.evaluate(press, list(event))
            return page.get_attribute("#region", "class") != "part"

        begun = ("pointerdown", 1, first, 0.2, 0.2), ("pointermove", 1, first, 0.6, 0.6)
        right = first | {"button": 2}
        assert is_whole_after(("pointerdown", 1, right, 0.2, 0.2), ("pointermove", 1, right, 0.6, 0.6))
        assert is_whole_after(*begun, ("pointerdown", 2, second, 0.8, 0.8), ("pointermove", 1, first, 0.7, 0.7))
        assert is_whole_after(("pointerup", 1, first, 0.7, 0.7), ("pointermove", 2, second, 0.3, 0.3))
        assert not is_whole_after(*begun, ("pointerup", 1, first, 0.6, 0.6))


def test_who_takes_the_whole_picture_by_key_stays_beside_that_button(server: Server, quarters: Browser) -> None:
    with visit(quarters, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 1)
        page.focus("#region")
        page.keyboard.press("Shift+ArrowLeft")
        page.click("#tab-source")
        page.focus("#whole")
        page.keyboard.press("Enter")
        expect(page.locator("#whole")).to_be_disabled()
        expect(page.locator("#mirror")).to_be_focused()
        page.focus("#pause")
        page.evaluate("dispatchEvent(new Event('pagehide'))")  # one way in which a run ends by itself
        expect(page.locator("#start")).to_be_focused()


def test_the_region_follows_the_keys(server: Server, quarters: Browser) -> None:
    with visit(quarters, server.url) as page:
        page.click("#start")
        page.focus("#region")
        heard = listen(page)
        for _ in range(10):
            page.keyboard.press("Shift+ArrowLeft")
            page.keyboard.press("Shift+ArrowDown")
        assert region(page) == [25, 25, 50, 50]
        wait_for_answers(page, 2)
        assert "Looked at: 50 % of the width, 50 % of the height" in heard()
        for _ in range(6):  # to the left in the mirror
            page.keyboard.press("ArrowLeft")
            page.keyboard.press("ArrowUp")
        assert region(page) == [50, 0, 50, 50]
        assert sent(page) == [GREEN] * 4
        page.keyboard.press("Escape")
        assert region(page) == [0, 0, 100, 100]


def test_the_mirror_is_for_the_eye_only(server: Server, quarters: Browser) -> None:
    with visit(quarters, server.url) as page:
        page.click("#start")
        page.click("#tab-source")
        for mirrored in (True, False):
            assert page.is_checked("#mirror") == mirrored
            transform = page.eval_on_selector("#view", "(view) => getComputedStyle(view).transform")
            assert transform == ("matrix(-1, 0, 0, 1, 0, 0)" if mirrored else "none")
            assert sent(page) == [RED, GREEN, BLUE, YELLOW]
            page.click("#mirror")


def test_a_region_of_the_device_camera_is_cut_out_by_the_server(browser: Browser, tmp_path: Path) -> None:
    frame_bgr = np.full((480, 1280, 3), 255, dtype=np.uint8)
    frame_bgr[:, :640], frame_bgr[:, 640:] = drawn("trouser", 0), drawn("bag", 0)
    assert cv2.imwrite(str(tmp_path / "both.png"), frame_bgr)
    with serving("--camera", str(tmp_path)) as server, visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        assert page.is_hidden("#camera")
        drag(page, (0.98, 0.95), (0.5, 1))
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        drag(page, (0.25, 0.5), (0.75, 0.5))
        expect(page.locator("#answer")).to_have_text("Bag", timeout=ANSWER_TIMEOUT_MS)


def test_models_are_listed_with_accuracy_size_and_speed(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        pattern = re.compile(r"\S+( · \d+ %)? · \d+\.\d MB · [\d.]+ ms")
        expect(page.locator("#model option").last).to_have_text(pattern)
        listed = page.locator("#model option").all_inner_texts()
        assert [line.split(" · ")[0] for line in listed] == [contract.name for contract in contracts()]
        assert all(pattern.fullmatch(line) for line in listed)


@pytest.fixture
def without_cnn1(tmp_path: Path) -> Path:
    """A checkout in which cnn1's .tflite file is missing."""
    models = tmp_path / "assets" / "models"
    models.mkdir(parents=True)
    for path in (assets_dir() / "models").iterdir():
        if path.name != "cnn1.tflite":
            (models / path.name).symlink_to(path)
    (tmp_path / "assets" / "examples").symlink_to(assets_dir() / "examples")
    (tmp_path / "edge_app").symlink_to(ROOT / "edge_app")
    return tmp_path


def test_a_model_without_its_file_is_not_offered_and_the_log_says_so(
    without_cnn1: Path, browser: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(root=without_cnn1) as server, visit(browser, server.url) as page:
        expect(page.locator("#model option").last).to_have_text(re.compile(" ms$"))
        listed = page.locator("#model option").all_inner_texts()
        assert [line.split(" · ")[0] for line in listed] == [
            contract.name for contract in contracts() if contract.name != "cnn1"
        ]
    missing = without_cnn1 / "assets" / "models" / "cnn1.tflite"
    words = f"{missing}: not found beside its contract, so this model is not offered. Install it again."
    assert words in capfd.readouterr().err.splitlines()


def test_a_model_that_is_asked_for_and_lacks_its_file_is_one_line(without_cnn1: Path) -> None:
    command = [sys.executable, "-m", "edge_app", "--model", "cnn1"]
    done = subprocess.run(command, cwd=without_cnn1, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"error: \S+/cnn1\.tflite: not found beside its contract, .* Install it again\.\n", done.stderr)


def test_the_threshold_is_the_models_until_it_is_moved(server: Server, browser: Browser) -> None:
    (contract,) = [contract for contract in contracts() if contract.name == default_model()]
    with visit(browser, server.url) as page:
        assert float(page.input_value("#threshold")) == contract.threshold
        page.click("#start")
        message = asked(page)
        assert (message["model"], message["threshold"]) == (contract.name, None)
        page.fill("#threshold", "0.9")
        assert asked(page)["threshold"] == 0.9
        assert page.inner_text("#threshold-shown") == "90 % sure"


def test_what_the_model_sees_and_the_figures_are_shown_on_demand(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        assert asked(page)["show_input"] is False
        page.click("#tab-details")
        expect(page.locator("#input")).to_be_visible(timeout=ANSWER_TIMEOUT_MS)
        (contract,) = [contract for contract in contracts() if contract.name == default_model()]
        height, width, _ = contract.input.shape
        page.wait_for_function("document.querySelector('#input').naturalWidth")
        size = page.eval_on_selector("#input", "(img) => [img.naturalHeight, img.naturalWidth]")
        assert size == [height, width]
        expect(page.locator("[data-figure=invoke_ms]")).to_have_text(re.compile(r"\d+\.\d\d ms"))
        expect(page.locator("[data-figure=rate]")).to_have_text(re.compile(r"\d+\.\d"))
        shown = page.locator("#figures dd").all_inner_texts()
        assert len(shown) == 7 and all(any(letter.isdigit() for letter in words) for words in shown)


def test_which_parts_mattered_is_shown_when_it_is_ticked(server: Server, browser: Browser) -> None:
    side = "document.querySelector('#input').naturalWidth"
    with visit(browser, server.url) as page:
        page.click("#start")
        page.click("#tab-details")
        assert asked(page)["show_parts"] is False
        page.check("#parts")
        page.wait_for_function(f"{side} === {SHOWN_PX}", timeout=ANSWER_TIMEOUT_MS)
        times_s = []
        for _ in range(2):
            with page.expect_request(lambda request: '"show_parts":true' in (request.post_data or "")):
                pass
            times_s.append(time.monotonic())
        assert times_s[1] - times_s[0] >= 0.9  # frames between them are answered without
        page.uncheck("#parts")
        page.wait_for_function(f"{side} !== {SHOWN_PX}", timeout=ANSWER_TIMEOUT_MS)


def test_where_parts_take_long_the_answers_go_on(browser: Browser) -> None:
    with serving(program=[str(Path(__file__).with_name("slow.py"))]) as server, visit(browser, server.url) as page:
        page.click("#start")
        page.click("#tab-details")
        wait_for_answers(page, 1)
        heard = listen(page)
        page.check("#parts")
        shown = f"document.querySelector('#input').naturalWidth === {SHOWN_PX}"
        page.wait_for_function(shown, timeout=ANSWER_TIMEOUT_MS)  # 65 inferences: more than five seconds
        wait_for_answers(page, 10)
        assert asked(page)["show_parts"] is False
        assert [words for words in heard() if words.startswith("looking")] == []


def test_a_question_for_parts_that_was_lost_is_not_asked_again_at_once(server: Server, browser: Browser) -> None:
    lost: list[Route] = []

    def lose_or_go(route: Route) -> None:
        if '"show_parts":true' in (route.request.post_data or ""):
            lost.append(route)
        else:
            route.continue_()

    with visit(browser, server.url) as page:
        page.route("**/component_server/", lose_or_go)
        page.click("#start")
        page.click("#tab-details")
        wait_for_answers(page, 1)
        with page.expect_request(lambda request: '"show_parts":true' in (request.post_data or "")):
            page.check("#parts")
        page.wait_for_timeout(1000)
        lost[0].abort()
        expect(page.locator("#state")).to_have_text("looking: the server does not answer; trying again")
        wait_for_answers(page, 30)
        assert len(lost) == 1
