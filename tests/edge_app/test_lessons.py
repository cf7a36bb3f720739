"""What was taught is kept whole or not at all; what is damaged is said, and nothing else stops working."""

import contextlib
import io
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_app.contract import Contract
from edge_app.errors import LessonError, NoHome, PointsError
from edge_app.lessons import (
    MAX_EXAMPLES,
    MAX_NAMES,
    add,
    as_known,
    lessons_path,
    name_problem,
    read_lessons,
    set_aside,
    without,
    write_lessons,
)
from edge_app.models import assets_dir, contracts, default_model
from edge_app.pipeline import Classifiers
from edge_app.points import pack_points, points_path, read_points
from edge_app.taught import Lessons
from edge_app.userdir import write_whole


@pytest.fixture
def contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """The app's model, taught nothing: this test's lessons are in a folder of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return next(contract for contract in contracts() if contract.name == default_model())


def rows(*values: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Features, one number each."""
    return np.array(values, dtype=np.float32).reshape(-1, 1)


def test_lessons_outlive_the_program(contract: Contract, tmp_path: Path) -> None:
    assert read_lessons(contract) is None
    write_lessons(Lessons(("Scarf", "Jäckchen (rot)"), rows(0.5, 2)), contract)
    assert lessons_path(contract) == tmp_path / "edge-fashion" / "taught" / f"{contract.name}.npz"
    kept = read_lessons(contract)
    assert kept is not None
    assert (kept.names, kept.features.tolist()) == (("Scarf", "Jäckchen (rot)"), [[0.5], [2]])
    assert lessons_path(contract).stat().st_size < 2000
    write_lessons(None, contract)
    assert (read_lessons(contract), list(lessons_path(contract).parent.iterdir())) == (None, [])


def test_examples_are_added_and_forgotten() -> None:
    lessons = add(add(None, "Scarf", rows(1, 2)), "Sock", rows(3))
    lessons = add(lessons, "Scarf", rows(4))
    assert (lessons.names, lessons.features.tolist()) == (("Scarf", "Scarf", "Sock", "Scarf"), [[1], [2], [3], [4]])
    rest = without(lessons, "Scarf")
    assert rest is not None
    assert (rest.names, rest.features.tolist()) == (("Sock",), [[3]])
    assert without(rest, "Sock") is None
    assert without(None, "Sock") is None


def test_the_newest_examples_are_kept() -> None:
    lessons = add(add(None, "Sock", rows(-1)), "Scarf", rows(*range(MAX_EXAMPLES)))
    lessons = add(lessons, "Scarf", rows(1000))
    assert lessons.counts == {"Sock": 1, "Scarf": MAX_EXAMPLES}
    assert lessons.features[:2].tolist() == [[-1], [1]] and lessons.features[-1].tolist() == [1000]


def test_there_is_room_for_so_many_names() -> None:
    lessons = None
    for number in range(MAX_NAMES):
        lessons = add(lessons, f"Scarf {number}", rows(number))
    with pytest.raises(LessonError, match=r"20 names are taught, .* Forget one first"):
        add(lessons, "Sock", rows(1))
    assert add(lessons, "Scarf 0", rows(1)).counts["Scarf 0"] == 2


@pytest.mark.parametrize(
    "name", ["", " Scarf", "\u0301Scarf", "a" * 31, "a,b", 'a"b', "a\nb", "<b>", "=1+1", "None", "nothing", "unsure"]
)
def test_names_that_cannot_be_taught(name: str, contract: Contract) -> None:
    assert name_problem(name, contract)


def test_names_that_can(contract: Contract) -> None:
    for name in ("Scarf", "T-shirt/top", "Ann's coat", "Schal", "帽子", "Jeans (blue) & belt", "a" * 30, "साड़ी", "শাড়ি"):
        assert name_problem(name, contract) == ""
    for name in ("Col·leció", "نیم\u200cتن", "ශ්\u200dරී"):
        assert name_problem(name, contract) == ""


def test_nothing_can_be_taught_to_a_model_that_has_a_label_for_it(contract: Contract) -> None:
    assert as_known("  Nothing ", None, contract) == as_known("NONE", None, contract) == "none"
    assert name_problem("none", contract) == ""
    alone = replace(contract, labels=contract.labels[:-1], none_threshold=None)
    assert as_known("nothing", None, alone) == "nothing"
    assert name_problem("nothing", alone) == "'nothing' is what is said when there is no name"
    assert name_problem("none", alone)


def test_a_name_is_written_as_it_was_before(contract: Contract) -> None:
    lessons = Lessons(("Ann's coat",), rows(1))
    assert as_known("ann's  COAT", lessons, contract) == "Ann's coat"
    for typed in ("\u2019", "\u02bc"):
        assert as_known(f"ann{typed}s coat", lessons, contract) == "Ann's coat"
    other = Lessons(("Ann\u02bcs coat",), rows(1))
    assert as_known("Ann's coat", other, contract) == "Ann\u02bcs coat"
    assert as_known("bag", lessons, contract) == as_known("Bag\u200d", lessons, contract) == "Bag"
    assert as_known("ann's\u200c coat", lessons, contract) == "Ann's coat"
    assert "there is no name" in name_problem("unsure\u200d", contract)
    assert as_known("Scarf  red", lessons, contract) == "Scarf red"


# A number without its first byte, a header that ends too soon, a length that no memory holds, one that no processor
# counts, and a letter that there is not: numpy fails in a way of its own on each.
SPOILED_ARRAYS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "no array": ("features", lambda array: array[1:]),
    "open header": ("features", lambda array: array.replace(b"), }", b"),  ")),
    "vast": ("features", lambda array: array.replace(b"(1, 1), }" + 12 * b" ", b"(1, 1" + 12 * b"0" + b"), }")),
    "beyond": ("features", lambda array: array.replace(b"(1, 1), }" + 20 * b" ", b"(1, 1" + 20 * b"0" + b"), }")),
    "type": ("features", lambda array: array.replace(b"'<f2'", b"'07f'")),
    "letter": ("names", lambda array: array[:-4] + 4 * b"\xff"),
}


def with_spoiled_array(content: bytes, spoil: str) -> bytes:
    """A whole .npz with one damaged array."""
    spoiled, (name, damaged) = io.BytesIO(), SPOILED_ARRAYS[spoil]
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(spoiled, "w") as after:
        for member in before.namelist():
            array = before.read(member)
            after.writestr(member, damaged(array) if member == f"{name}.npy" else array)
    return spoiled.getvalue()


@pytest.mark.parametrize("spoil", ["cut", "text", "empty", "foreign", *SPOILED_ARRAYS])
def test_a_damaged_file_is_said_and_moved_aside_and_the_app_goes_on(
    contract: Contract, spoil: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = lessons_path(contract)
    write_lessons(Lessons(("Scarf",), rows(1)), replace(contract, sha256="0" * 64) if spoil == "foreign" else contract)
    content = path.read_bytes()
    spoiled = {"cut": content[: len(content) // 2], "text": b"scarf", "empty": b"", "foreign": content}.get(spoil)
    if spoiled is None:
        spoiled = with_spoiled_array(content, spoil)
    path.write_bytes(spoiled)
    with pytest.raises(LessonError, match=r"\.npz: .*[Bb]egin anew"):
        read_lessons(contract)
    assert Classifiers().get(contract.name).head is None
    assert str(path) in caplog.text
    set_aside(contract)
    assert (read_lessons(contract), path.with_name(f"{path.name}.old").read_bytes()) == (None, spoiled)


def test_to_begin_anew_twice_loses_nothing(contract: Contract) -> None:
    path = lessons_path(contract)
    for name in ("Scarf", "Sock", "Hat"):
        write_lessons(Lessons((name,), rows(1)), contract)
        set_aside(contract)
    kept = {}
    for aside in path.parent.iterdir():
        with np.load(aside) as lessons:
            kept[aside.name] = lessons["names"].tolist()
    assert kept == {f"{path.name}.old": ["Scarf"], f"{path.name}.old2": ["Sock"], f"{path.name}.old3": ["Hat"]}
    for _ in range(4, 10):
        write_lessons(Lessons(("Shoe",), rows(1)), contract)
        set_aside(contract)
    write_lessons(Lessons(("Glove",), rows(1)), contract)
    with pytest.raises(LessonError, match="9 former ones are beside it"):
        set_aside(contract)
    found = read_lessons(contract)
    assert found is not None and found.names == ("Glove",)


def test_no_flipped_bit_is_more_than_a_lesson_error(contract: Contract) -> None:
    write_lessons(Lessons(("Scarf",), rows(1)), contract)
    path, random = lessons_path(contract), np.random.default_rng(1)
    content = path.read_bytes()
    for bit in random.choice(8 * len(content), 1500):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with contextlib.suppress(LessonError):
            read_lessons(contract)


def test_lessons_of_another_length_are_said(contract: Contract, caplog: pytest.LogCaptureFixture) -> None:
    write_lessons(Lessons(("Scarf",), rows(1)), contract)
    assert Classifiers().get(contract.name).head is None
    assert "not of this model" in caplog.text


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "file"
    write_whole(path, b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert (path.read_bytes(), [found.name for found in path.parent.iterdir()]) == (b"old", ["file"])


def test_who_has_no_home_goes_on_without(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(NoHome, match="set HOME, or XDG_DATA_HOME"):
        read_lessons(contract)
    assert Classifiers().get(contract.name).head is None


def test_what_cannot_be_kept_is_said(contract: Contract, tmp_path: Path) -> None:
    (tmp_path / "edge-fashion").write_text("a file where the folder should be")
    with pytest.raises(LessonError, match=r"cannot be written .*permissions"):
        write_lessons(Lessons(("Scarf",), rows(1)), contract)


def test_points_of_every_model_fit_it() -> None:
    for contract in contracts():
        points = read_points(contract)
        assert 300 <= len(points.labels) <= 1000
        assert set(points.labels) == set(contract.labels)
        assert np.linalg.norm(points.features, axis=-1) == pytest.approx(1, abs=1e-3)
        assert points.axes @ points.axes.T == pytest.approx(np.eye(2), abs=1e-3)
        assert points_path(contract).stat().st_size < 500_000


def test_points_that_are_missing_damaged_or_anothers_are_said(
    contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "models" / points_path(contract).name
    path.parent.mkdir()
    shutil.copy(assets_dir() / "models" / path.name, path)
    monkeypatch.setattr("edge_app.points.assets_dir", lambda: tmp_path)
    points = read_points(contract)
    again = f"python -m train points --model {contract.name}"
    path.write_bytes(pack_points(replace(points, labels=("Bag",) * len(points.labels)), contract))
    with pytest.raises(PointsError, match=f"fewer than two kinds of garments.*{again}"):
        read_points(contract)
    for features in (points.features[0], points.features[np.newaxis], points.features[1:], points.features * np.nan):
        path.write_bytes(pack_points(replace(points, features=features), contract))
        with pytest.raises(PointsError, match=f"do not fit together.*{again}"):
            read_points(contract)
    path.write_bytes(pack_points(points, contract))
    with pytest.raises(PointsError, match=f"made with another .*{again}"):
        read_points(replace(contract, sha256="0" * 64))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(PointsError, match=f"damaged .*{again}"):
        read_points(contract)
    path.unlink()
    with pytest.raises(PointsError, match=f"not there, .*{again}"):
        read_points(contract)
