"""``python -m train teach-figures``: how well a model is taught two names that it knows as none, from ten photos each.

The ten photos of a name are of ten people; nobody's photo is judged who gave one. The figures are of the validation
split: taught from people of the training split, whose photos the model was trained on (as none), and taught from people
of the validation split, whom it never saw. The choices in edge_app.taught were made on photos of both splits.
"""

import argparse
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier, Outputs
from edge_app.contract import Contract
from edge_app.decide import decide, probabilities
from edge_app.errors import DataError
from edge_app.models import default_model
from edge_app.points import Points, read_points
from edge_app.preprocess import frame_to_input
from edge_app.taught import Head, Lessons, learn, with_names, with_taught
from train.data import find_data
from train.paths import warn_of_others
from train.pictures import PHOTOS, Collection, Picture, find_collection

Float32 = npt.NDArray[np.float32]

NAMES = ("Shorts", "Hat")
LESSONS = 10  # photos of a name, each of another person
DRAWS = 20  # of the people who teach
LAYOUT = replace(PHOTOS, classes=PHOTOS.classes | {name: (name,) for name in NAMES})


@dataclass(frozen=True)
class Figures:
    """Shares (0..1) of the judged photos.

    ``first`` and ``second``: of the two names' photos, those named so; ``named``: of both together. ``before`` and
    ``after``: of the ten classes' photos, those named rightly without and with what was taught. ``nothing_before`` and
    ``nothing_after``: of the photos that show neither, those that get any name.
    """

    first: float
    second: float
    named: float
    before: float
    after: float
    nothing_before: float
    nothing_after: float


@dataclass(frozen=True, eq=False)
class Seen:
    """Photos and what a model gives for them."""

    rows: list[Picture]
    outputs: Outputs

    def of(self, rows: list[int]) -> Float32:
        """The features of some rows, float32 (N, F)."""
        return self.outputs.features[rows]


def teachers(rows: list[Picture], name: str, split: str, random: np.random.Generator) -> list[int]:
    """LESSONS random rows of a name and split, each of another person. Raises DataError if there are fewer people."""
    shown = [index for index, row in enumerate(rows) if row.classes == (name,) and row.split == split]
    by_person = {rows[index].person: int(index) for index in random.permutation(shown)}
    if len(by_person) < LESSONS:
        raise DataError(f"photos of {name}, split {split}: of {len(by_person)} people, {LESSONS} are needed.")
    return list(by_person.values())[:LESSONS]


def answers(seen: Seen, rows: list[int], head: Head | None, contract: Contract) -> list[str]:
    """The decision on each row, without memory of others."""
    probs = probabilities(seen.outputs.logits[rows], contract.temperature)
    extended = with_names(contract, head)
    if head is not None:
        probs = with_taught(probs, seen.of(rows), head, extended)
    return [decide(row, extended).label for row in probs]


def draw(seen: Seen, points: Points, contract: Contract, split: str, seed: int) -> Figures:
    """One choice of people of ``split`` teaches both names; the validation photos of all others are judged."""
    random = np.random.default_rng(seed)
    chosen = {name: teachers(seen.rows, name, split, random) for name in NAMES}
    taught = [index for rows in chosen.values() for index in rows]
    names = tuple(name for name, rows in chosen.items() for _ in rows)
    head = learn(Lessons(names, seen.of(taught)), points, contract)
    gave = {seen.rows[index].person for index in taught}
    judged = [i for i, row in enumerate(seen.rows) if row.split == "val" and row.person not in gave]
    rows = [seen.rows[index] for index in judged]
    before, after = (answers(seen, judged, known, contract) for known in (None, head))
    is_new = [row.classes[0] in NAMES for row in rows]
    is_old = [row.is_garment and not new for row, new in zip(rows, is_new, strict=True)]
    is_nothing = [not row.is_garment for row in rows]

    def share(found: list[str], among: list[bool]) -> float:
        right = [name in row.classes for name, row, use in zip(found, rows, among, strict=True) if use]
        return float(np.mean(right))

    def named(found: list[str]) -> float:
        is_named = [name in (*contract.labels[:-1], *NAMES) for name in found]
        return float(np.mean(np.array(is_named)[is_nothing]))

    first, second = (share(after, [row.classes == (name,) for row in rows]) for name in NAMES)
    shares = first, second, share(after, is_new), share(before, is_old), share(after, is_old)
    return Figures(*shares, named(before), named(after))


def mean(figures: list[Figures]) -> Figures:
    """Each figure's mean."""
    return Figures(*(float(np.mean([getattr(one, field.name) for one in figures])) for field in fields(Figures)))


def photos_of(data: str | None) -> Path:
    """Where the photos are. Raises DataError."""
    folder = find_data(data)
    path = find_collection(folder, LAYOUT) if folder else None
    if path is None:
        raise DataError("photos are needed: name the folder that holds them with --data or EDGE_APP_DATA.")
    return path


def look(classifier: Classifier, data: str | None) -> Seen:
    """All photos through the model. Raises DataError."""
    with Collection(photos_of(data), LAYOUT) as collection:
        rows = collection.pictures
        pixels = np.stack([frame_to_input(collection.frame(row), classifier.contract.input) for row in rows])
    return Seen(rows, classifier.infer(pixels))


def main(argv: list[str]) -> int:
    """Prints the figures of one model; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m train teach-figures", description=__doc__)
    parser.add_argument("--model", metavar="NAME", help="an installed live model (the app's choice)")
    parser.add_argument("--data", metavar="DIR", help="folder with photos.zip or photos/ ($EDGE_APP_DATA)")
    args = parser.parse_args(argv)
    classifier = Classifier.load(args.model or default_model())
    contract = classifier.contract
    if contract.none_threshold is None:
        raise DataError(f"{contract.name} does not know none, which {' and '.join(NAMES)} are. Name a live model.")
    warn_of_others([contract], {PHOTOS: photos_of(args.data)})
    points, seen = read_points(contract), look(classifier, args.data)
    print(f"{contract.name}: {' and '.join(NAMES)} taught from {LESSONS} people's photos each, mean of {DRAWS} draws")
    for split in ("train", "val"):
        found = mean([draw(seen, points, contract, split, seed) for seed in range(DRAWS)])
        print(
            f"taught by people of {split}, judged on all others of val: named {found.named:.1%} "
            f"({NAMES[0]} {found.first:.1%}, {NAMES[1]} {found.second:.1%}); the ten classes rightly "
            f"{found.after:.1%}, before {found.before:.1%} ({100 * (found.after - found.before):+.1f} points); "
            f"of other things named {found.nothing_after:.0%}, before {found.nothing_before:.0%}"
        )
    return 0
