"""What was taught to a model on this device, in a small file of this user: taught/NAME.npz, numbers only."""

import io
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.contract import Contract
from edge_app.errors import LessonError
from edge_app.labels import NONE
from edge_app.points import DAMAGED, Points
from edge_app.taught import Head, Lessons, learn
from edge_app.userdir import user_dir, write_whole

Float32 = npt.NDArray[np.float32]

MAX_NAMES = 20
MAX_EXAMPLES = 60  # of a name; the newest are kept
MAX_LENGTH = 30  # of a name
MOST_ASIDE = 9  # files of a model's former lessons
BETWEEN = " '&/().+-·"  # no commas or quotes: names stand in tables; the dot is Catalan's
JOINERS = "\u200c\u200d"  # unseen, but Persian and Indian words are typed with them
APOSTROPHES = str.maketrans("\u2019\u02bc", "''")  # what phones write for one
AS_SEEN = APOSTROPHES | dict.fromkeys(map(ord, JOINERS))
CHECK = "Check its folder's permissions, and the room on the disk."
NOTHING = "nothing"  # what the page calls none
RESERVED = (NONE, NOTHING, "unsure")


def lessons_path(contract: Contract) -> Path:
    """Where a model's lessons are kept."""
    return user_dir() / "taught" / f"{contract.name}.npz"


def read_lessons(contract: Contract) -> Lessons | None:
    """What was taught to a model; None if nothing was. Raises LessonError for a damaged file, or another model's."""
    path = lessons_path(contract)
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            model, names = str(file["sha256"]), tuple(str(name) for name in file["names"])
            features = file["features"].astype(np.float32)
        if features.ndim != 2 or len(names) != len(features) or not np.isfinite(features).all():
            raise ValueError("its parts do not fit together")
        if problem := next(filter(None, (name_problem(name, contract) for name in names)), ""):
            raise ValueError(problem)
    except FileNotFoundError:
        return None
    except DAMAGED as error:
        raise LessonError(
            f"{path}: what was taught cannot be read ({error}). Put a good copy in its place and start again, "
            "or begin anew."
        ) from error
    if model != contract.sha256:
        raise LessonError(f"{path}: this was taught to another {contract.name}, which saw otherwise. Begin anew.")
    return Lessons(names, features) if names else None


def write_lessons(lessons: Lessons | None, contract: Contract) -> None:
    """Keeps what was taught, all of it or nothing. Raises LessonError where it cannot be written."""
    path = lessons_path(contract)
    try:
        if lessons is None:
            path.unlink(missing_ok=True)
            return
        file = io.BytesIO()
        names, features = np.array(lessons.names), lessons.features.astype(np.float16)
        np.savez_compressed(file, sha256=np.array(contract.sha256), names=names, features=features)
        write_whole(path, file.getvalue())
    except OSError as error:
        raise LessonError(f"{path}: cannot be written ({error.strerror}). {CHECK}") from error


def set_aside(contract: Contract) -> None:
    """Moves a model's lessons to taught/NAME.npz.old, or .old2 to .old9, to begin anew. Raises LessonError."""
    path = lessons_path(contract)
    places = (path.with_name(f"{path.name}.old{number}") for number in ("", *range(2, MOST_ASIDE + 1)))
    try:
        if path.exists():
            aside = next((place for place in places if not place.exists()), None)
            if aside is None:
                raise LessonError(f"{path}: {MOST_ASIDE} former ones are beside it, .old and on. Take some away first.")
            path.replace(aside)
    except OSError as error:
        raise LessonError(f"{path}: cannot be moved ({error.strerror}). {CHECK}") from error


def as_known(name: str, lessons: Lessons | None, contract: Contract) -> str:
    """A name with single spaces and plain apostrophes; one of the model's own labels, or of those taught before, as it
    is written there, if they look alike.

    Where the model has a label for no garment, "nothing" is that, as on the page.
    """
    name = unicodedata.normalize("NFC", " ".join(name.split())).translate(APOSTROPHES)
    if _seen(name) == NOTHING and NONE in contract.labels:
        return NONE
    known = (*contract.labels, *(lessons.counts if lessons else ()))
    return next((one for one in known if _seen(one) == _seen(name)), name)


def name_problem(name: str, contract: Contract) -> str:
    """Why a name cannot be taught to a model; empty if it can."""
    if not (0 < len(name) <= MAX_LENGTH and _is_letter(name[0]) and all(map(_may_follow, name))):
        return f"{name[:MAX_LENGTH]!r} is no name: 1 to {MAX_LENGTH} letters, digits, spaces or {BETWEEN.strip()} are"
    if name in contract.labels or _seen(name) not in RESERVED:
        return ""
    return f"{name!r} is what is said when there is no name"


def _seen(name: str) -> str:
    """What of a name can be told apart by who reads it."""
    return name.translate(AS_SEEN).casefold()


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"


def _may_follow(character: str) -> bool:
    """Also the marks and joiners that many scripts write letters with."""
    is_mark = unicodedata.category(character).startswith("M")
    return _is_letter(character) or is_mark or character in BETWEEN + JOINERS


def add(lessons: Lessons | None, name: str, features: Float32) -> Lessons:
    """Lessons with more examples of a name, features float32 (N, F); of a name the newest MAX_EXAMPLES are kept.

    Raises LessonError for one name too many.
    """
    require_room(lessons, name)
    before = lessons or Lessons((), np.empty((0, features.shape[1]), dtype=np.float32))
    names, rows = (*before.names, *[name] * len(features)), np.concatenate([before.features, features])
    surplus = [index for index, known in enumerate(names) if known == name][:-MAX_EXAMPLES]
    kept = [index for index in range(len(names)) if index not in surplus]
    return Lessons(tuple(names[index] for index in kept), rows[kept])


def require_room(lessons: Lessons | None, name: str) -> None:
    """Raises LessonError for one name too many."""
    counts = lessons.counts if lessons else {}
    if name not in counts and len(counts) >= MAX_NAMES:
        raise LessonError(f"{MAX_NAMES} names are taught, which is all there is room for. Forget one first.")


def without(lessons: Lessons | None, name: str) -> Lessons | None:
    """Lessons without a name; None if nothing is left."""
    kept = [index for index, known in enumerate(lessons.names) if known != name] if lessons else []
    if lessons is None or not kept:
        return None
    return replace(lessons, names=tuple(lessons.names[index] for index in kept), features=lessons.features[kept])


def learned(lessons: Lessons, points: Points, contract: Contract) -> Head:
    """What a model learns from lessons on its points. Raises LessonError if they do not fit together."""
    try:
        return learn(lessons, points, contract)
    except ValueError as error:
        raise LessonError(f"{lessons_path(contract)}: not of this model ({error}). Begin anew.") from error
