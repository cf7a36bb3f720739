"""docs/tutorial.md is true; and a page with something changed in it is found out.

What takes longer than seconds is run by `scripts/check-tutorial`.
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tutorial_figures
from PIL import Image
from tutorial_figures import ROOT, TEST_FILE, TRAINING_FILE
from tutorial_page import PAGE, blocks, paragraphs, problems, updated
from tutorial_run import (
    DRAWN,
    NEEDS_DATA,
    differs,
    drawn_otherwise,
    failures,
    printed,
    refusal,
    report,
    scratch,
    with_printed,
)

from edge_app.models import assets_dir
from train.data import load_fashion_mnist

TEXT = PAGE.read_text(encoding="utf-8")
RUN = [block for block in blocks(TEXT) if block.how == "run"]
NOT_RUN = [block for block in blocks(TEXT) if block.how == "not run"]


def test_every_figure_is_its_sources() -> None:
    assert problems(TEXT) == []
    assert sum(len(paragraph.sources) for paragraph in paragraphs(TEXT)) > 40


@pytest.mark.parametrize(
    ("said", "instead", "words"),
    [
        ("parameters in all, 692,352 sit", "parameters in all, 692,353 sit", "692,352 is in the comment, but not in"),
        ("-->\n\nEvery class has", "-->\n\nEvery class of 11 has", "11 has no source"),
        ("10 % = guessing", "10 % = hoping", "no figure has the source hoping"),
        ("<!-- run -->\n```python", "```python", "this block has no mark"),
        ("\npage again.", "\npage again, 7 in all.", "7 has no source"),
        ("](training.md)", "](trainings.md)", "there is no trainings.md"),
        ("Shirt = hardest(cnn4-fashion-mnist)", "Bag = hardest(cnn4-fashion-mnist)", "Bag should be"),
    ],
)
def test_a_page_changed_by_hand_is_found_out(said: str, instead: str, words: str) -> None:
    assert said in TEXT
    found = problems(TEXT.replace(said, instead, 1))
    assert found and any(words in problem for problem in found), found
    assert all(re.match(r"tutorial\.md, line \d+: ", problem) for problem in found)


@pytest.mark.parametrize(
    ("said", "instead"),
    [("692,352", "692,353"), ("1,221,675", "1,221,676"), ("28x28", "32x32"), ("four", "five"), ("| 320 |", "| 321 |")],
)
def test_what_no_longer_holds_is_found_and_written_anew(said: str, instead: str) -> None:
    blocked = re.sub(r"```.*?```", lambda block: block[0].replace(said, "\0"), TEXT, flags=re.DOTALL)
    spoiled = blocked.replace(said, instead).replace("\0", said)
    found = problems(spoiled)
    assert found and all("`scripts/check-tutorial --update` writes it anew" in problem for problem in found)
    assert updated(spoiled) == TEXT


def test_a_model_trained_anew_is_found_out_and_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(assets_dir() / "models", tmp_path / "models")
    path = tmp_path / "models" / "cnn4.card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["contract"]["accuracy"]["photos val"] = 0.8125
    card["contract"]["threshold"] = 0.99
    path.write_text(json.dumps(card), encoding="utf-8")
    monkeypatch.setattr(tutorial_figures, "assets_dir", lambda: tmp_path)
    tutorial_figures.card.cache_clear()
    try:
        found, page = problems(TEXT), updated(TEXT)
        assert len(found) == 2 and "should be 0.99, which is threshold(cnn4)" in " ".join(found)
        assert any("the table live has changed" in problem for problem in found)
        assert problems(page) == [] and "81.2 %" in page and "has 0.99 or more" in page
    finally:
        tutorial_figures.card.cache_clear()


def test_what_is_run_prints_and_draws_what_stands_there() -> None:
    with scratch() as folder:
        for block in RUN:
            if NEEDS_DATA not in block.options:
                assert [report(*one) for one in failures(block, folder)] == []
        assert list(drawn_otherwise(TEXT, folder)) == []
        kept = folder / DRAWN.findall(TEXT)[0][0]
        Image.fromarray(np.full((726, 1650, 3), 255, np.uint8)).save(kept)
        assert [made for _, _, made in drawn_otherwise(TEXT, folder)] == [kept]


def test_what_is_run_with_data(data_dir: Path) -> None:
    needing = [block for block in RUN if NEEDS_DATA in block.options]
    assert needing and all(list(failures(block, data_dir)) == [] for block in needing)
    data = load_fashion_mnist(str(data_dir), 1)
    assert (len(data.train.labels) + len(data.val.labels), len(data.test.labels)) == (TRAINING_FILE, TEST_FILE)


def test_another_answer_is_found_out_and_written_anew(tmp_path: Path) -> None:
    answer = next(line for line in TEXT.splitlines() if line.startswith("assets/examples/dress.png: "))
    spoiled = TEXT.replace(answer, "assets/examples/dress.png: Hat (97%)")
    block = next(block for block in blocks(spoiled) if block.how == "run" and block.language == "console")
    failed = list(failures(block, ROOT))
    assert [line for line, _, _ in failed] == [block.steps[0][0]]
    assert with_printed(spoiled, failed) == TEXT
    lesson = next(block for block in blocks(TEXT.replace("[0, 27, 27, 0]]", "[0, 27, 28, 0]]")) if "cv2" in block.text)
    assert "[[0, 27, 27, 0], [0, 27, 27, 0]]" in "\n".join(next(iter(failures(lesson, tmp_path)))[2])


def test_commands_that_are_not_run_could_be() -> None:
    commands = [command for block in NOT_RUN for _, command, _ in block.steps]
    assert len(commands) >= 6
    assert [refusal(command) for command in commands] == [None] * len(commands)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python -m train cnn4 --recipe worst", "invalid choice: 'worst'"),
        ("python -m train compare a b --curves", "unrecognized arguments: --curves"),
        ("python -m edge_app --colour", "unrecognized arguments: --colour"),
        ("python -m converters", "required: RUN"),
        ("scripts/fly", "there is no scripts/fly"),
    ],
)
def test_commands_that_could_not_be_are_found_out(command: str, words: str) -> None:
    assert words in (refusal(command) or "")


def test_a_failing_command_says_its_status(tmp_path: Path) -> None:
    assert printed("python -m train maps nothing.png", tmp_path) == ["(exit status 2)"]
    assert printed("ls", tmp_path) == ["(not a command of this project: ls)"]


@pytest.mark.parametrize(
    ("expected", "found", "nearly", "differ"),
    [
        (["a 1", "b"], ["a 1", "b"], False, False),
        (["a 1", "b"], ["a 2", "b"], False, True),
        (["a (97%)"], ["a (94%)"], True, False),
        (["a (97%)"], ["a (93%)"], True, True),
        (["a (97%)"], ["a (96%)"], False, True),
        (["a (97%)"], ["b (97%)"], True, True),
        (["a 0... b"], ["a 0.345 b"], False, False),
        (["...", "b"], ["x", "y", "b"], False, False),
        (["...", "b"], ["x", "y"], False, True),
    ],
)
def test_what_counts_as_the_same(expected: list[str], found: list[str], nearly: bool, differ: bool) -> None:
    assert differs(expected, found, nearly) is differ


def test_only_what_is_wholly_known_is_written_anew() -> None:
    page = "$ one\na\nb\n$ two\nx ...\n"
    assert with_printed(page, [(1, ["a", "b"], ["c"]), (4, ["x ..."], ["y 1"])]) == "$ one\nc\n$ two\nx ...\n"
