"""Teaching as the page's script does it: messages, limits, who may, and what live answers then say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sent import sent, sent_drawing

from edge_app.lessons import MAX_NAMES
from edge_app.models import default_model
from edge_app.page.app import may_teach
from edge_app.page.frames import MAX_JPEG_CHARS, Desk
from edge_app.page.teach import MAX_PICTURES, School
from edge_app.pipeline import Classifiers

MODEL = default_model()


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def lesson(name: str, picture: str) -> dict[str, Any]:
    return {"model": MODEL, "name": name, "jpegs": [sent_drawing(picture, shift) for shift in (-8, -4, 0, 4, 8)]}


def answer(desk: Desk, picture: str) -> object:
    message = {"visitor": "a", "model": MODEL, "jpeg": sent_drawing(picture, 2), "still": True}
    return desk.classify_frame(message)["answer"]


def test_a_name_is_taught_answered_kept_and_forgotten() -> None:
    classifiers = Classifiers()
    desk, school = Desk([MODEL], classifiers, watch=None), School([MODEL], classifiers, is_open=True)
    assert school.taught({"model": MODEL}) == {"open": True, "words": "", "trouble": "", "names": []}
    assert answer(desk, "bag") == "Bag"
    assert school.teach(lesson("  Ann's   lunch bag", "bag"))["names"] == [("Ann's lunch bag", 5)]
    assert answer(desk, "bag") == "Ann's lunch bag"
    assert answer(desk, "trouser") == "Trouser"
    assert school.teach(lesson("ann's LUNCH bag", "bag"))["names"] == [("Ann's lunch bag", 10)]
    assert answer(Desk([MODEL], Classifiers(), watch=None), "bag") == "Ann's lunch bag"  # the program was started again
    assert school.forget({"model": MODEL, "name": "Ann's lunch bag"})["names"] == []
    assert answer(desk, "bag") == "Bag"


def test_a_name_that_another_program_taught_is_known_as_it_is_written_there() -> None:
    one, other = (School([MODEL], Classifiers(), is_open=True) for _ in range(2))
    one.taught({"model": MODEL})
    other.teach(lesson("Purse", "bag"))
    reply = one.teach(lesson("PURSE", "bag"))
    assert (reply["name"], reply["names"]) == ("Purse", [("Purse", 10)])


def test_a_name_is_asked_about_before_its_pictures_are_recorded() -> None:
    school = School([MODEL], Classifiers(), is_open=True)
    about: dict[str, Any] = {"model": MODEL, "jpegs": []}
    empty = {"open": True, "words": "", "trouble": "", "names": []}
    assert school.teach({**about, "name": "Ann\u2019s  coat"}) == {**empty, "name": "Ann's coat"}
    assert school.taught({"model": MODEL}) == empty
    assert "is no name" in str(school.teach({**about, "name": "<script>"})["words"])
    for number in range(MAX_NAMES):
        school.teach({**lesson(f"Bag {number}", "bag"), "jpegs": [sent_drawing("bag")]})
    assert "Forget one first" in str(school.teach({**about, "name": "Sock"})["words"])
    assert school.teach({**about, "name": "bag 7"})["name"] == "Bag 7"


def test_what_is_taught_while_somebody_looks_counts_from_the_next_frame_on() -> None:
    classifiers = Classifiers()
    desk, school = Desk([MODEL], classifiers, watch=None), School([MODEL], classifiers, is_open=True)
    message = {"visitor": "a", "model": MODEL, "jpeg": sent_drawing("bag")}
    assert desk.classify_frame(message)["answer"] == "Bag"
    school.teach(lesson("Lunch bag", "bag"))
    reply = desk.classify_frame(message)
    assert (reply["answer"], reply["state"]) == ("Lunch bag", "sure")
    assert desk.classify_frame({**message, "threshold": 1.0})["state"] == "unsure"  # thresholds apply to it, too


@pytest.mark.parametrize(
    ("host", "share", "has_password", "allowed"),
    [
        ("127.0.0.1", False, False, True),
        ("localhost", False, True, True),
        ("0.0.0.0", False, False, False),
        ("0.0.0.0", False, True, True),
        ("127.0.0.1", True, True, False),  # a link's visitors come from this machine, too
        ("0.0.0.0", True, True, False),
    ],
)
def test_who_may_teach(host: str, share: bool, has_password: bool, allowed: bool) -> None:
    assert may_teach(host, share, has_password) is allowed


def test_a_page_open_to_others_teaches_nobody_but_says_why() -> None:
    classifiers = Classifiers()
    assert School([MODEL], classifiers, is_open=True).teach(lesson("Lunch bag", "bag"))["names"]
    school = School([MODEL], classifiers, is_open=False)
    for reply in (school.teach(lesson("Sock", "trouser")), school.forget({"model": MODEL, "name": None})):
        assert reply["error"] is True and "Teaching is off" in str(reply["words"])
    told = school.taught({"model": MODEL})
    assert (told["open"], told["names"]) == (False, [("Lunch bag", 5)])
    assert "Teaching is off" in str(told["words"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "../m"}, "no such model"),
        ({"model": ["m"]}, "no such model"),
        ({"name": 5}, "a lesson is a name and at most 5 pictures"),
        ({"jpegs": None}, "a lesson is a name and at most 5 pictures"),
        ({"jpegs": ["A"] * (MAX_PICTURES + 1)}, "a lesson is a name and at most 5 pictures"),
        ({"jpegs": [5]}, "base64 of at most 300,000 characters"),
        ({"jpegs": ["A" * (MAX_JPEG_CHARS + 1)]}, "base64 of at most 300,000 characters"),
        ({"jpegs": ["%%%"]}, "not base64"),
        ({"jpegs": ["AAAA"]}, "not a JPEG"),
        ({"jpegs": [sent(np.zeros((8, 8), dtype=np.uint8), ".png")]}, "the picture is not a JPEG"),
        ({"name": "unsure"}, "there is no name. Choose another"),
        ({"name": "<script>"}, "is no name"),
    ],
)
def test_lessons_no_script_of_ours_sends_are_refused(change: dict[str, object], words: str) -> None:
    school = School([MODEL], Classifiers(), is_open=True)
    reply = school.teach({**lesson("Sock", "bag"), **change})
    assert reply["error"] is True and words in str(reply["words"])
    assert school.teach("Sock")["error"] is True
    assert school.taught({"model": MODEL})["names"] == []


def test_what_cannot_be_read_is_said_until_it_is_begun_anew(tmp_path: Path) -> None:
    school = School([MODEL], Classifiers(), is_open=True)
    path = tmp_path / "edge-fashion" / "taught" / f"{MODEL}.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    told = school.taught({"model": MODEL})
    assert str(path) in str(told["trouble"]) and told["names"] == []
    assert school.teach(lesson("Sock", "bag"))["error"] is True
    assert path.read_bytes() == b"damaged"  # nothing is overwritten
    assert school.forget({"model": MODEL, "name": None})["trouble"] == ""
    assert school.teach(lesson("Sock", "bag"))["names"] == [("Sock", 5)]
