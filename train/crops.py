"""``python -m train crops``: is a garment named better when several views of its picture are asked, and at what cost?

Test-time augmentation: the network is asked about the whole picture, its mirror image, and crops of it, each also
mirrored (the ten crops of Krizhevsky et al. 2012, section 4.1, with the whole picture added); the mean of the
probabilities is the answer.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier
from edge_app.contract import InputSpec
from edge_app.decide import probabilities
from edge_app.labels import FASHION
from edge_app.models import contracts
from edge_app.preprocess import frame_to_input, images_to_input
from edge_app.region import WHOLE, Region, crop
from train.compare import ROOT, table
from train.data import Split, load_fashion_mnist
from train.documents import with_block
from train.files import write_atomically
from train.paths import warn_of_others
from train.pictures import PHOTOS, Collection, Layout, Picture, find_collections, rows_of

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

COMMAND = "python -m train crops"
PART = 0.85  # of each side, in a crop
_FREE = 1 - PART
CORNERS = ((_FREE / 2, _FREE / 2), (0, 0), (_FREE, 0), (0, _FREE), (_FREE, _FREE))
REGIONS = (WHOLE, *(Region(left, top, PART, PART) for left, top in CORNERS))
WAYS = {"whole picture": 1, "and mirrored": 2, "and five crops": 2 * len(REGIONS)}  # how many views are asked
MOST = max(WAYS.values())
TIMED, WARM_UP = 200, 10  # photos, and how many of them do not count
HEADER = ("model", "validation pictures", "n", *WAYS)


@dataclass(frozen=True)
class Score:
    """How often a way of asking is right; ``better`` and ``worse``: garments that only it, or only plain, names."""

    right: float
    better: int
    worse: int


@dataclass(frozen=True)
class Row:
    """One model on one set of pictures: how many garments, and each way's score."""

    model: str
    pictures: str
    count: int
    scores: dict[str, Score]


def views(frame_rgb: UInt8, spec: InputSpec, count: int) -> UInt8:
    """A picture uint8 (H, W, 3) as the model is given its first ``count`` views: uint8 (count, *spec.shape).

    In turn a region of REGIONS and its mirror image.
    """
    framed = (frame_to_input(crop(frame_rgb, region), spec) for region in REGIONS[: -(-count // 2)])
    return _with_mirrored(framed, count)


def image_views(image: UInt8, spec: InputSpec, count: int) -> UInt8:
    """The same of an image of Fashion-MNIST, uint8 (28, 28), which needs no framing."""
    resized = (
        images_to_input(np.ascontiguousarray(crop(image, region))[np.newaxis], spec.shape)[0]
        for region in REGIONS[: -(-count // 2)]
    )
    return _with_mirrored(resized, count)


def _with_mirrored(pixels: Iterable[UInt8], count: int) -> UInt8:
    return np.stack([view for one in pixels for view in (one, one[:, ::-1])][:count])


def mean_probs(logits: Float32, temperature: float, count: int) -> Float32:
    """Logits float32 (N, views, classes) -> mean probabilities of the first ``count`` views, float32 (N, classes)."""
    return np.asarray(probabilities(logits[:, :count], temperature).mean(axis=1), np.float32)


def hits(labels: tuple[str, ...], rows: list[Picture], probs: Float32) -> Bool:
    """Whether the likeliest label, of all there are, is right: bool (N,)."""
    named = [labels[index] for index in probs.argmax(axis=-1)]
    return np.array([name in row.classes for name, row in zip(named, rows, strict=True)])


def scores(labels: tuple[str, ...], rows: list[Picture], logits: Float32, temperature: float) -> dict[str, Score]:
    """Each way's score on garments with logits float32 (N, most views, classes)."""
    found = {way: hits(labels, rows, mean_probs(logits, temperature, count)) for way, count in WAYS.items()}
    plain = next(iter(found.values()))
    return {way: Score(float(h.mean()), int((h & ~plain).sum()), int((plain & ~h).sum())) for way, h in found.items()}


def ask(classifier: Classifier, paths: dict[Layout, Path], val: Split) -> list[Row]:
    """All ways on each collection's validation garments, and on Fashion-MNIST's validation images."""
    contract = classifier.contract
    asked: list[tuple[str, list[Picture], list[Float32]]] = []
    for layout, path in paths.items():
        with Collection(path, layout) as collection:
            rows = garments(collection)
            logits = [classifier.logits(views(collection.frame(row), contract.input, MOST)) for row in rows]
        asked.append((layout.name, rows, logits))
    rows = [Picture(str(index), (FASHION[label],), "", "val") for index, label in enumerate(val.labels)]
    logits = [classifier.logits(image_views(image, contract.input, MOST)) for image in val.images]
    asked.append(("Fashion-MNIST", rows, logits))
    return [
        Row(contract.name, name, len(rows), scores(contract.labels, rows, np.stack(logits), contract.temperature))
        for name, rows, logits in asked
    ]


def garments(collection: Collection) -> list[Picture]:
    """The validation pictures that show one of the ten."""
    return [row for _, row in rows_of([collection], "val") if row.is_garment]


def time_ratios(classifier: Classifier, frames_rgb: list[UInt8]) -> dict[str, float]:
    """Median time from a decoded picture to its probabilities, as a multiple of the plain way's.

    The ways take turns on every picture, in an order drawn anew, so that a noisy machine hits all alike.
    """
    spec, temperature = classifier.contract.input, classifier.contract.temperature
    random = np.random.default_rng(0)
    times_s: dict[str, list[float]] = {way: [] for way in WAYS}
    for frame_rgb in frames_rgb:
        for index in random.permutation(len(WAYS)):
            way, count = list(WAYS.items())[index]
            start = time.perf_counter()
            mean_probs(classifier.logits(views(frame_rgb, spec, count))[np.newaxis], temperature, count)
            times_s[way].append(time.perf_counter() - start)
    medians = {way: float(np.median(found[WARM_UP:])) for way, found in times_s.items()}
    return {way: median / medians[next(iter(WAYS))] for way, median in medians.items()}


def lines(rows: list[Row], ratios: dict[str, float], timed: int) -> list[tuple[str, ...]]:
    """One model's rows of the table: shares right, with how many garments a way wins and loses; then the times."""

    def cell(score: Score) -> str:
        changed = f" (+{score.better} -{score.worse})" if score.better or score.worse else ""
        return f"{score.right:.1%}{changed}"

    times = tuple(f"{ratio:.1f}" for ratio in ratios.values())
    return [
        *((row.model, row.pictures, f"{row.count:,}", *map(cell, row.scores.values())) for row in rows),
        (rows[0].model, "time of a photo, ratio", str(timed - WARM_UP), *times),
    ]


def main(argv: list[str]) -> int:
    """Prints a table; without ``--model`` it is that of all live models, and also goes into docs/results.md."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "--model", metavar="NAME", action="append", help="only this model; may be given more than once (all live ones)"
    )
    parser.add_argument(
        "--data", metavar="DIR", help="folder with fashion-mnist/, photos and products ($EDGE_APP_DATA)"
    )
    args = parser.parse_args(argv)
    paths = find_collections(args.data)
    names = args.model or [contract.name for contract in contracts() if contract.variant == "live"]
    body = []
    classifiers = [Classifier.load(name) for name in names]
    warn_of_others([classifier.contract for classifier in classifiers], paths)
    for classifier in classifiers:
        val = load_fashion_mnist(args.data, classifier.contract.recipe["seed"]).val
        with Collection(paths[PHOTOS], PHOTOS) as collection:
            frames_rgb = [collection.frame(row) for row in garments(collection)[:TIMED]]
        body += lines(ask(classifier, paths, val), time_ratios(classifier, frames_rgb), len(frames_rgb))
        print(table(HEADER, body[-len(paths) - 2 :]), flush=True)
    if not args.model:
        page = ROOT / "docs" / "results.md"
        content = with_block(page.read_text(encoding="utf-8"), COMMAND, table(HEADER, body))
        write_atomically(page, partial(Path.write_text, data=content, encoding="utf-8"))
        print("table in docs/results.md")
    return 0
