"""The projector's page, and TensorBoard's, in a real Chromium without a network."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, Route, expect
from test_project import handmade

from train.projector.logs import write_logs
from train.projector.page import make_page
from train.projector.spaces import Pictures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("EDGE_APP_DATA"), reason="no Chromium on this machine"
)

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PLACES = "() => Array.from(scene.to, (number) => Math.round(number * 1000) / 1000)"
START_TIMEOUT_S = 90.0
NOTE_THAT_IT_RAN = """button => {  // it is disabled for as long as something is computed
  let disabled = false;
  new MutationObserver(() => {
    if (disabled && !button.disabled) button.dataset.ran = 'yes';
    disabled = button.disabled;
  }).observe(button, { attributeFilter: ['disabled'] });
}"""


@pytest.fixture(scope="module")
def quiet_browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def page(quiet_browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page of six points made by hand, opened from a file; nothing else is fetched, nothing goes wrong."""
    pictures, layouts = handmade()
    path = tmp_path / "projector.html"
    path.write_text(make_page([pictures], layouts, "cnn9"), encoding="utf-8")
    context = quiet_browser.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: trouble.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    ready(page, "photos features pca 3")
    yield page
    assert trouble == []
    context.close()


def ready(page: Page, what: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-ready", what, timeout=20_000)


def at(page: Page, index: int) -> tuple[float, float]:
    """Where a point is on the screen."""
    page.evaluate("draw()")
    box = page.locator("#marks").bounding_box()
    assert box is not None
    x, y = page.evaluate("i => [screen.xs[i], screen.ys[i]]", index)
    return box["x"] + x, box["y"] + y


def test_pointing_shows_the_picture_and_a_click_the_nearest(page: Page) -> None:
    page.mouse.move(*at(page, 3))
    expect(page.locator("#tip p")).to_have_text("class: Coat")
    assert page.evaluate("[...find('tip').firstElementChild.getContext('2d').getImageData(5, 5, 1, 1).data]") == [
        *(120, 120, 120, 255)
    ]
    page.mouse.click(*at(page, 0))
    expect(page.locator("#facts")).to_contain_text("a.jpg")
    expect(page.locator("#alike")).to_have_text("By features of cnn9, 2 of its 5 nearest are of the same class.")
    # By hand, from (0, 0): 1, 1, then (3, 3), (4, 3), (5, 3); equally near ones by their order.
    rows = page.locator("#neighbours button").all_inner_texts()
    assert [" ".join(row.split()) for row in rows] == [*("Bag 1.00", "Bag 1.00", "Coat 4.24", "Coat 5.00", "Coat 5.83")]
    page.locator("#neighbours button").nth(4).click()
    page.select_option("#metric", "cosine")  # by angle from (5, 3): (4, 3), (3, 3), (1, 0) follow
    assert page.evaluate("picked.neighbours.map(({ index }) => index)") == [3, 5, 1, 0, 2]
    distances = page.evaluate("picked.neighbours.map(({ distance }) => distance)")
    assert distances == pytest.approx(
        [1 - 29 / 34**0.5 / 5, 1 - 24 / 34**0.5 / 18**0.5, 1 - 5 / 34**0.5, 1, 1.857], abs=1e-3
    )
    page.click("#let-go")
    expect(page.locator("#chosen")).to_be_hidden()


def test_the_axis_between_two_names(page: Page) -> None:
    """By hand: from (0, 0) to (4, 3); across is (4x + 3y) / 25. Up, of the axis (0, 1), remains (-3, 4) / 5, over 5."""
    page.check("[value=axis]")
    ready(page, "photos features axis 2")
    assert page.evaluate(PLACES) == [
        *(0, 0, 0, 0.16, -0.12, 0, -0.16, 0.12, 0),
        *(1, 0, 0, 1.16, -0.12, 0, 0.84, 0.12, 0),
    ]
    page.fill("#to", "nobody")
    page.press("#to", "Tab")
    expect(page.locator("#axis-trouble")).to_have_text("Nothing is called nobody.")
    page.fill("#to", "/(/")
    page.press("#to", "Tab")
    expect(page.locator("#axis-trouble")).to_have_text("That pattern is no regular expression.")
    page.fill("#from", "coa")
    page.fill("#to", "/^B.g$/")
    page.press("#to", "Tab")
    expect(page.locator("#axis-trouble")).to_be_empty()
    expect(page.locator("#words")).to_contain_text("coa to that of 3")
    assert page.evaluate(PLACES)[:3] == [1, 0, 0]


def test_a_whole_word_comes_before_a_part(page: Page) -> None:
    values = "['T-shirt/top', 'Shirt', 'Coat']"
    for pattern, codes in (("shirt", [1]), ("shir", [0, 1]), ("/^t|coat/", [0, 2]), ("", [])):
        assert page.evaluate(f"pattern => [...matching(pattern, {values})]", pattern) == codes


def test_views_spaces_colours_and_what_is_shown(page: Page) -> None:
    page.check("[value=tsne]")
    page.check('[name=depth][value="2"]')
    ready(page, "photos features tsne 2")
    assert page.evaluate(PLACES)[9:12] == pytest.approx([4, 3, 0], abs=0.001)
    page.check("[value=pixels]")
    ready(page, "photos pixels tsne 2")
    page.select_option("#colour", "answer")
    assert re.split(r"\s+", page.inner_text("#legend").strip()) == ["Coat", "3", "Bag", "2", "unsure", "1"]
    page.locator("#legend input").nth(1).uncheck()
    assert [page.evaluate("isShown", index) for index in range(6)] == [False, False, True, True, True, True]
    page.click("#all")
    page.check("#pictures")
    page.fill("#find", "unsure")
    expect(page.locator("#found")).to_have_text("1")
    page.press("#find", "Enter")
    expect(page.locator("#facts")).to_contain_text("f.jpg")


def test_keys_turn_zoom_and_choose(page: Page) -> None:
    before = at(page, 3)
    page.focus("#marks")
    page.keyboard.press("ArrowLeft")
    turned = at(page, 3)
    assert turned != before
    page.keyboard.press("+")
    assert at(page, 3) != turned
    page.keyboard.press("0")
    assert at(page, 3) == pytest.approx(before, abs=0.01)
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#chosen")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.mouse.click(*at(page, 0))
    page.mouse.move(5, 5)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def many() -> Pictures:
    """The six points made by hand, fifteen times, with features of their own."""
    few, copies = handmade()[0], 15
    features = np.random.default_rng(0).normal(size=(6 * copies, 5)).astype(np.float32)
    columns = {name: column * copies for name, column in few.columns.items()}
    pixels = np.tile(few.pixels, (copies, 1, 1))
    return replace(few, pixels=pixels, features=features, columns=columns, names=few.names * copies)


@contextlib.contextmanager
def tensorboard(logs: Path) -> Iterator[str]:
    """TensorBoard on these logs: its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError), urllib.request.urlopen(url + "data/plugin/projector/runs", timeout=5):
                break
            time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait(20)


def test_tensorboards_projector_opens_on_the_logs_offline(quiet_browser: Browser, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard.plugins.projector.projector_plugin", reason="no projector in this TensorBoard")
    write_logs(tmp_path, [many()], "cnn9")
    with tensorboard(tmp_path) as url:
        context = quiet_browser.new_context(viewport={"width": 1280, "height": 720})

        def offline(route: Route) -> None:
            route.continue_() if route.request.url.startswith(url) else route.abort()

        context.route("**/*", offline)
        page = context.new_page()
        asked: list[str] = []
        page.on("response", lambda response: asked.append(f"{response.status} {response.url}"))
        page.goto(f"{url}#projector")
        frame = page.frame_locator("iframe").frame_locator("iframe")  # the plugin, and in it the projector
        expect(frame.locator(".numDataPoints").first).to_have_text("90", timeout=40_000)
        expect(frame.locator(".dim").first).to_have_text("5")  # it takes the first by name, the features
        for part in ("tensor?", "metadata?", "sprite_image?"):
            assert any(line.startswith("200 ") and part in line for line in asked), (part, asked)
        frame.locator("vz-projector-inspector-panel").locator("input").first.fill("Coat")
        expect(frame.get_by_text("45 matches")).to_be_visible(timeout=20_000)

        frame.locator("#custom-tab").click()
        ends = frame.locator("[data-panel=custom] input")
        ends.nth(1).fill("Bag")  # the first input chooses the column
        ends.nth(2).fill("Coat")
        expect(frame.locator("[data-panel=custom]").get_by_text("45 matches.")).to_have_count(2)

        run = frame.locator("[data-panel=umap]").get_by_text("Run", exact=True)
        run.evaluate(NOTE_THAT_IT_RAN)
        frame.locator("#umap-tab").click()
        expect(run).to_have_attribute("data-ran", "yes", timeout=40_000)
        expect(frame.locator("iron-overlay-backdrop.opened")).to_have_count(0, timeout=40_000)
        frame.locator("#tsne-tab").click()
        expect(frame.locator(".run-tsne-iter").first).to_have_text(re.compile(r"^[1-9]\d"), timeout=40_000)
        context.close()
