"""Snapshots: kept in the browser when the person asks, exported in the layout that training reads, deleted."""

import contextlib
import os
import random
import re
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import (
    ANSWER_TIMEOUT_MS,
    CHROMIUM,
    FAKE_CAMERA,
    QUIET,
    START_TIMEOUT_S,
    WITHOUT_CHROMIUM,
    Server,
    drawn,
    serving,
    visit,
    wait_for_answers,
)
from playwright.sync_api import Browser, Page, Playwright, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from waiting import wait_until

from train.pictures import PHOTOS, Collection

STARTS = 3
KILLS = int(os.environ.get("EDGE_APP_KILLS", "3"))  # scripts/test-kills asks for 50

pytestmark = pytest.mark.skipif(WITHOUT_CHROMIUM, reason="no Chromium on this machine")


def export(page: Page, path: Path) -> Path:
    with page.expect_download() as caught:
        page.click("#export")
    assert caught.value.suggested_filename == "photos.zip"
    caught.value.save_as(path)
    return path


def test_snapshots_are_kept_corrected_exported_and_deleted(server: Server, browser: Browser, tmp_path: Path) -> None:
    with visit(browser, server.url) as page:
        page.click("#tab-snapshots")
        expect(page.locator("#kept")).to_have_text("Nothing is kept.")
        page.click("#keep")
        expect(page.locator("#kept")).to_have_text("There is no answer to keep yet.")
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        for count in (1, 2, 3):
            page.click("#keep")
            expect(page.locator("#snapshots li")).to_have_count(count)
        expect(page.locator("#kept")).to_have_text("3 kept in this browser, and nowhere else.")

        page.reload()  # what is kept outlives the page
        page.click("#tab-snapshots")
        kept = page.locator("#snapshots li")
        expect(kept).to_have_count(3)  # the newest first
        kept.nth(0).get_by_label("Right label").select_option("none")
        kept.nth(1).get_by_label("Right label").select_option("Dress")
        kept.nth(2).get_by_role("button", name="Delete").click()
        expect(kept).to_have_count(2)
        expect(kept.nth(1).get_by_role("button", name="Delete snapshot-00002")).to_be_focused()

        with Collection(export(page, tmp_path / "photos.zip"), PHOTOS) as collection:
            rows = [(picture.name, picture.classes, picture.split) for picture in collection.pictures]
            assert rows == [("snapshot-00002", ("Dress",), "train"), ("snapshot-00003", ("none",), "train")]
            people = {picture.person for picture in collection.pictures}
            assert len(people) == 1 and all(len(person) == 12 for person in people)
            frame_rgb = collection.frame(collection.pictures[0])
        assert frame_rgb.shape == (240, 320, 3)
        small = cv2.resize(drawn("trouser", 0), (320, 240), interpolation=cv2.INTER_AREA)[..., ::-1].astype(int)
        assert np.abs(frame_rgb.astype(int) - small).mean() < 10  # the trousers, a few pixels moved

        page.once("dialog", lambda dialog: dialog.dismiss())
        page.click("#delete-all")
        expect(kept).to_have_count(2)
        page.once("dialog", lambda dialog: dialog.accept())
        page.click("#delete-all")
        expect(kept).to_have_count(0)
        assert page.is_disabled("#export")


def test_nothing_is_sent_or_kept_unless_the_person_asks(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 10)
        page.click("#tab-snapshots")
        expect(page.locator("#snapshots li")).to_have_count(0)
        expect(page.locator("#kept")).to_have_text("Nothing is kept.")
        page.click("#pause")
        page.wait_for_timeout(300)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.click("#keep")
        expect(page.locator("#snapshots li")).to_have_count(1)
        assert [url for url in asked if not url.startswith("data:")] == []


def test_what_another_tab_has_deleted_stays_deleted(server: Server, browser: Browser) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.click("#tab-snapshots")
        page.click("#keep")
        expect(page.locator("#snapshots li")).to_have_count(1)
        other = page.context.new_page()
        other.goto(server.url)
        other.click("#tab-snapshots")
        expect(other.locator("#snapshots li")).to_have_count(1)
        other.on("dialog", lambda dialog: dialog.accept())
        other.click("#delete-all")
        expect(other.locator("#kept")).to_have_text("Nothing is kept.")
        page.bring_to_front()
        page.locator("#snapshots select").select_option("Dress")
        expect(page.locator("#kept")).to_have_text("Nothing is kept.")
        page.click("#keep")
        expect(page.locator("#snapshots li")).to_have_count(1)
        other.click("#tab-snapshots")  # the list is that of now
        expect(other.locator("#snapshots li")).to_have_count(1)


def test_the_archive_is_sound(server: Server, browser: Browser, tmp_path: Path) -> None:
    with visit(browser, server.url) as page:
        page.click("#start")
        expect(page.locator("#answer")).to_have_text("Trouser", timeout=ANSWER_TIMEOUT_MS)
        page.click("#tab-snapshots")
        page.click("#keep")
        with zipfile.ZipFile(export(page, tmp_path / "photos.zip")) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == ["photos.csv", "images/snapshot-00001.jpg"]
            head, row, end = archive.read("photos.csv").decode().split("\n")
            assert (head, end) == ("image,label,sender_id,split", "")
            name, label, _, split = row.split(",")
            assert (name, label, split) == ("snapshot-00001", "Trouser", "train")


def test_of_the_device_camera_the_part_that_was_looked_at_is_kept(browser: Browser, tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "trousers.png"), drawn("trouser", 0))
    with serving("--camera", str(tmp_path)) as server, visit(browser, server.url) as page:
        page.click("#start")
        wait_for_answers(page, 2)
        page.focus("#region")
        for _ in range(10):
            page.keyboard.press("Shift+ArrowLeft")
        wait_for_answers(page, 4)
        page.click("#tab-snapshots")
        page.click("#keep")
        expect(page.locator("#snapshots li")).to_have_count(1)
        with Collection(export(page, tmp_path / "photos.zip"), PHOTOS) as collection:
            frame_rgb = collection.frame(collection.pictures[0])
    assert frame_rgb.shape == (320, 213, 3)  # 480x360 is shown; half of its width, longest edge 320


@contextlib.contextmanager
def chromium_on(profile: Path, webcam: Path) -> Iterator[str]:
    """The address of a browser of its own for developer tools; it gets no time to say goodbye."""
    address = profile / "DevToolsActivePort"
    address.unlink(missing_ok=True)
    flags = [*QUIET, *FAKE_CAMERA, f"--use-file-for-fake-video-capture={webcam}"]
    command = [str(CHROMIUM), "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}", *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(lambda: address.exists() and address.read_text().count("\n") == 1)
        yield f"http://127.0.0.1:{address.read_text().split()[0]}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)


@contextlib.contextmanager
def killed_in_the_end(playwright: Playwright, profile: Path, webcam: Path) -> Iterator[Page]:
    """A page of such a browser. Now and then one started after a kill -9 takes the connection and never answers."""
    for attempt in range(STARTS):
        with chromium_on(profile, webcam) as url:
            try:
                browser = playwright.chromium.connect_over_cdp(url, timeout=1000 * START_TIMEOUT_S / STARTS)
            except PlaywrightTimeout:
                if attempt == STARTS - 1:
                    raise
                continue
            yield browser.contexts[0].pages[0]
            return


def test_killed_while_it_keeps_snapshots_the_browser_has_them_whole(
    server: Server, playwright: Playwright, webcam: Path, tmp_path: Path
) -> None:
    moments, kept, total = random.Random(0), 0, 0
    for kill in range(KILLS + 1):
        with killed_in_the_end(playwright, tmp_path / "profile", webcam) as page:
            page.goto(server.url)
            page.click("#tab-snapshots")
            expect(page.locator("#kept")).to_have_text(re.compile("kept in this browser|Nothing is kept"))
            images = page.locator("#snapshots img")
            total += kept
            assert images.count() >= kept  # more, if some were kept that were not yet shown
            images.evaluate_all("images => Promise.all(images.map((image) => image.decode()))")
            if kill == KILLS:
                break
            page.once("dialog", lambda dialog: dialog.accept())
            if images.count():
                page.click("#delete-all")
            expect(images).to_have_count(0)
            page.click("#start")
            wait_for_answers(page, 1)
            page.evaluate("setInterval(() => document.getElementById('keep').click(), 50)")
            time.sleep(moments.uniform(0.1, 1))
            kept = images.count()
    print(f"{KILLS} browsers killed while they kept snapshots, {total} snapshots whole")
    assert total > 0
