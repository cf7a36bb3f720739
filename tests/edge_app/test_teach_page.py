"""Teaching a name on the page, in a real Chromium with the drawn trousers before its webcam."""

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import ANSWER_TIMEOUT_MS, DESKTOP, PHONE, WITHOUT_CHROMIUM, Server, hold, serving, visit, wait_for_answers
from playwright.sync_api import Browser, Page, Route, expect

from edge_app.errors import DataError
from edge_app.models import assets_dir, contracts, default_model
from train.pictures import PHOTOS, Collection

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")

TAUGHT_MS = 30_000
CAMERA_MODELS = [contract.name for contract in contracts() if contract.variant == "live"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the servers of this test keep what they are taught."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "edge-fashion" / "taught"


def teach(page: Page, name: str, pictures: int) -> None:
    page.click("#tab-teach")
    page.fill("#lesson-name", name)
    page.click("#record")
    expect(page.locator("#lesson-words")).to_contain_text(f"{name} is learned", timeout=TAUGHT_MS)
    words = f"{pictures} picture" + ("s" if pictures > 1 else "")
    expect(page.locator("#taught li", has_text=name)).to_contain_text(words)


def begin_lesson(page: Page) -> None:
    """The webcam's trousers are being recorded as shorts."""
    page.click("#start")
    expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
    page.click("#tab-teach")
    page.fill("#lesson-name", "Shorts")
    page.click("#record")
    expect(page.locator("#lesson-words")).to_have_text("Recording …")


def test_a_garment_is_recorded_named_exported_and_forgotten(browser: Browser, tmp_path: Path) -> None:
    with serving() as server, visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        teach(page, "Shorts", 10)
        expect(page.locator("#answer")).to_have_text("Shorts", timeout=ANSWER_TIMEOUT_MS)
        wait_for_answers(page, 20)
        expect(page.locator("#answer")).to_have_text("Shorts")

        page.click("#tab-snapshots")
        expect(page.locator("#snapshots li")).to_have_count(10)
        assert page.locator("#snapshots select").first.input_value() == "Shorts"
        with page.expect_download() as caught:
            page.click("#export")
        caught.value.save_as(tmp_path / "photos.zip")
        with Collection(tmp_path / "photos.zip", PHOTOS) as collection:  # as `train --photos` reads it
            assert [picture.classes for picture in collection.pictures] == [("none",)] * 10
            assert collection.frame(collection.pictures[0]).shape == (240, 320, 3)

        page.click("#tab-teach")
        page.get_by_role("button", name="Forget Shorts").click()
        expect(page.locator("#taught li")).to_have_count(0)
        expect(page.locator("#lesson-name")).to_be_focused()
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)


def test_what_the_camera_sees_without_a_garment_is_taught_as_nothing(browser: Browser) -> None:
    """The webcam's trousers stand for a room that is taken for trousers."""
    with serving() as server, visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.click("#tab-teach")
        assert page.locator("#lesson-names option").last.get_attribute("value") == "nothing"
        page.fill("#lesson-name", "Nothing")
        page.click("#record")
        words = "“nothing” is learned. Its pictures are under Snapshots, too."
        expect(page.locator("#lesson-words")).to_have_text(words, timeout=TAUGHT_MS)
        expect(page.locator("#taught li")).to_contain_text("nothing10 pictures")
        expect(page.locator("#state")).to_contain_text("nothing", timeout=ANSWER_TIMEOUT_MS)
        page.click("#tab-snapshots")
        assert page.locator("#snapshots select").first.input_value() == "none"
        page.click("#tab-teach")
        page.get_by_role("button", name="Forget “nothing”").click()
        words = "“nothing” is forgotten. Its pictures under Snapshots, if there are any, stay until you delete them."
        expect(page.locator("#lesson-words")).to_have_text(words)
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)


def test_another_models_names_are_not_listed_where_its_own_are_not_known(browser: Browser) -> None:
    """Nor is it known whether it is the login that is missing: that question is never answered."""

    def cut_off(route: Route) -> None:
        is_asked = '"fn_name":"taught"' in (route.request.post_data or "")
        route.abort() if is_asked else route.continue_()

    with serving() as server, visit(browser, server.url) as page:
        page.click("#start")
        teach(page, "Shorts", 10)
        page.route("**/component_server/", cut_off)
        page.route("**/login_check", lambda route: None)
        page.click("#tab-model")
        page.select_option("#model", next(name for name in CAMERA_MODELS if name != default_model()))
        page.click("#tab-teach")
        words = "The device does not answer. Is it still running?"
        expect(page.locator("#lesson-words")).to_have_text(words, timeout=TAUGHT_MS)
        expect(page.locator("#taught li")).to_have_count(0)
        expect(page.locator("#lesson")).to_be_hidden()


def test_a_still_picture_is_one_example_and_names_outlive_the_server(browser: Browser) -> None:
    with serving() as server, visit(browser, server.url) as page:
        page.click("#tab-teach")
        page.fill("#lesson-name", "Purse")
        page.click("#record")
        expect(page.locator("#lesson-words")).to_contain_text("There is no picture yet")
        page.click("#tab-source")
        page.get_by_role("button", name="Drawing: bag").click()
        expect(page.locator("#answer")).to_have_text("Bag", timeout=ANSWER_TIMEOUT_MS)
        teach(page, "Purse", 1)
        expect(page.locator("#answer")).to_have_text("Purse", timeout=ANSWER_TIMEOUT_MS)
    with serving() as server, visit(browser, server.url) as page:
        page.click("#tab-source")
        page.get_by_role("button", name="Drawing: bag").click()
        expect(page.locator("#answer")).to_have_text("Purse", timeout=ANSWER_TIMEOUT_MS)


def test_names_that_training_may_not_know_are_said_where_they_are_exported(
    server: Server, browser: Browser, tmp_path: Path
) -> None:
    def export() -> Path:
        with page.expect_download() as caught:
            page.click("#export")
        caught.value.save_as(tmp_path / "photos.zip")
        return tmp_path / "photos.zip"

    kept = "1 kept in this browser, and nowhere else."
    with visit(browser, server.url) as page:
        page.click("#tab-source")
        page.get_by_role("button", name="Drawing: bag").click()
        expect(page.locator("#answer")).to_have_text("Bag", timeout=ANSWER_TIMEOUT_MS)
        teach(page, "Purse", 1)
        page.get_by_role("button", name="Forget Purse").click()
        expect(page.locator("#taught li")).to_have_count(0)
        page.click("#tab-snapshots")
        advice = "Training may not know Purse: choose one of the model's own names in the list."
        expect(page.locator("#kept")).to_have_text(f"{kept} {advice}")
        with pytest.raises(DataError, match="Purse"):
            Collection(export(), PHOTOS)
        page.get_by_label("Right label").select_option("Bag")
        expect(page.locator("#kept")).to_have_text(kept)
        with Collection(export(), PHOTOS) as collection:
            assert [picture.classes for picture in collection.pictures] == [("Bag",)]


def test_a_name_is_kept_as_it_is_written_there_and_a_forgotten_one_leaves_the_map(browser: Browser) -> None:
    with serving() as server, visit(browser, server.url) as page:
        page.click("#tab-source")
        page.get_by_role("button", name="Drawing: bag").click()
        expect(page.locator("#answer")).to_have_text("Bag", timeout=ANSWER_TIMEOUT_MS)
        page.click("#tab-teach")
        page.fill("#lesson-name", "trouser")
        page.click("#record")
        expect(page.locator("#lesson-words")).to_contain_text("Trouser is learned", timeout=TAUGHT_MS)
        page.click("#tab-snapshots")
        assert page.locator("#snapshots select").first.input_value() == "Trouser"

        teach(page, "Purse", 1)
        page.click("#tab-explore")
        page.select_option("#axis-from", "Purse")
        expect(page.locator("#nearest")).not_to_contain_text("no axis")
        page.click("#tab-teach")
        page.get_by_role("button", name="Forget Purse").click()
        expect(page.locator("#taught li", has_text="Purse")).to_have_count(0)
        page.click("#tab-explore")
        expect(page.locator("#axis-from option", has_text="Purse")).to_have_count(0)
        expect(page.locator("#nearest")).to_contain_text("Nearest")


def test_what_was_learned_before_a_lesson_was_cut_off_is_told_and_kept(browser: Browser) -> None:
    messages: list[Route] = []

    def cut_off_the_second(route: Route) -> None:
        if '"fn_name":"teach"' in (route.request.post_data or ""):
            messages.append(route)
        if len(messages) == 2:
            route.abort()
        else:
            route.continue_()

    with serving() as server, visit(browser, server.url) as page:
        begin_lesson(page)
        page.route("**/component_server/", cut_off_the_second)
        words = "Shorts is learned from only 5 of 10 pictures. The device does not answer. Is it still running?"
        expect(page.locator("#lesson-words")).to_have_text(words, timeout=TAUGHT_MS)
        expect(page.locator("#taught li")).to_contain_text("Shorts5 pictures")
        page.click("#tab-snapshots")
        expect(page.locator("#snapshots li")).to_have_count(5)


def test_a_lesson_whose_pictures_the_browser_cannot_keep_says_so(browser: Browser) -> None:
    with serving() as server, visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.evaluate("() => { IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }; }")
        page.click("#tab-teach")
        page.fill("#lesson-name", "Shorts")
        page.focus("#record")
        page.keyboard.press("Enter")
        words = (
            "Shorts is learned. This browser could not keep its pictures. If it is named when it is away, too, record "
            "what the camera sees then as “nothing”."
        )
        expect(page.locator("#lesson-words")).to_have_text(words, timeout=TAUGHT_MS)
        expect(page.locator("#record")).to_be_focused()


def test_nothing_is_recorded_while_it_is_paused(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        page.click("#pause")
        page.click("#tab-teach")
        page.fill("#lesson-name", "Shorts")
        page.click("#record")
        label = page.inner_text("#pause")
        words = f"Nothing is recorded while it is paused: press {label} first."
        expect(page.locator("#lesson-words")).to_have_text(words)
        expect(page.locator("#record")).to_be_enabled()


def test_pictures_from_before_the_lesson_do_not_count(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        page.click("#tab-teach")
        held = hold(page, "classify_frame")
        page.wait_for_timeout(300)
        assert held  # no picture is answered from now on
        page.fill("#lesson-name", "Shorts")
        page.click("#record")
        expect(page.locator("#lesson-words")).to_have_text("Recording …")
        page.wait_for_timeout(500)
        assert page.eval_on_selector("#recorded", "(bar) => bar.value") == 0


def test_a_late_answer_says_nothing_over_a_newer_one(browser: Browser) -> None:
    with serving() as server, visit(browser, server.url) as page:
        held = hold(page, "taught")
        page.click("#tab-teach")
        page.fill("#lesson-name", "Purse")
        page.click("#record")
        expect(page.locator("#record")).to_be_disabled()
        held[0].continue_()
        expect(page.locator("#lesson-words")).to_contain_text("There is no picture yet")
        expect(page.locator("#record")).to_be_enabled()
        page.wait_for_timeout(500)
        expect(page.locator("#lesson-words")).to_contain_text("There is no picture yet")


def test_of_the_devices_camera_the_server_learns_too(browser: Browser, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    shutil.copy(assets_dir() / "examples" / "bag.png", pictures)
    with serving("--camera", str(pictures)) as server, visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Bag", timeout=ANSWER_TIMEOUT_MS)
        teach(page, "Purse", 10)
        expect(page.locator("#answer")).to_have_text("Purse", timeout=ANSWER_TIMEOUT_MS)


def test_what_a_lesson_says_stays(browser: Browser) -> None:
    with serving() as server, visit(browser, server.url) as page:
        begin_lesson(page)
        page.click("#tab-model")
        page.click("#tab-teach")
        page.fill("#lesson-name", "")  # of no account any more
        expect(page.locator("#lesson-words")).to_contain_text("Shorts is learned", timeout=TAUGHT_MS)
        page.wait_for_timeout(500)
        expect(page.locator("#lesson-words")).to_contain_text("Shorts is learned")


def test_pictures_are_learned_by_the_model_that_they_were_recorded_for(browser: Browser) -> None:
    other = next(contract.name for contract in contracts() if contract.name != default_model())
    with serving() as server, visit(browser, server.url) as page:
        begin_lesson(page)
        page.click("#tab-model")
        page.select_option("#model", other)
        page.click("#tab-teach")
        expect(page.locator("#lesson-words")).to_contain_text("Shorts is learned", timeout=TAUGHT_MS)
        expect(page.locator("#taught li")).to_have_count(0)
        page.click("#tab-model")
        page.select_option("#model", default_model())
        page.click("#tab-teach")
        expect(page.locator("#taught li")).to_contain_text("Shorts")


def test_a_page_open_to_others_says_why_it_does_not_teach(browser: Browser) -> None:
    with serving("--host", "0.0.0.0") as server, visit(browser, server.url) as page:
        page.click("#tab-teach")
        expect(page.locator("#lesson-words")).to_contain_text("Teaching is off: this page is open to others")
        assert page.is_hidden("#lesson") and page.is_hidden("#begin-anew")


def test_a_damaged_file_is_said_on_the_page_and_begun_anew(browser: Browser, own_folder: Path) -> None:
    own_folder.mkdir(parents=True)
    (own_folder / f"{default_model()}.npz").write_bytes(b"damaged")
    with serving() as server, visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.click("#tab-teach")
        expect(page.locator("#lesson-words")).to_contain_text("what was taught cannot be read")
        assert page.is_hidden("#lesson")
        page.once("dialog", lambda dialog: dialog.accept())
        page.click("#begin-anew")
        expect(page.locator("#lesson")).to_be_visible()
        assert page.is_hidden("#begin-anew")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_it_can_be_used_on_every_screen_and_by_everybody(
    server: Server, browser: Browser, size: tuple[int, int]
) -> None:
    with visit(browser, server.url, size) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        teach(page, "Long winter trousers (blue)", 10)
        expect(page.locator("#answer")).to_have_text("Long winter trousers (blue)", timeout=ANSWER_TIMEOUT_MS)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
        page.get_by_role("button", name="Forget Long winter trousers (blue)").click()
        expect(page.locator("#taught li")).to_have_count(0)
