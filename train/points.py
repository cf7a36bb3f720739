"""``python -m train points``: makes a model's points, known garments as it sees them, which travel with it."""

import argparse
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier
from edge_app.contract import Contract, InputSpec
from edge_app.errors import ModelNotFound
from edge_app.labels import FASHION, NONE
from edge_app.models import contracts
from edge_app.points import Points, pack_points, points_path, unit
from edge_app.preprocess import frame_to_input, images_to_input
from train.data import find_data, load_fashion_mnist
from train.files import write_atomically
from train.mixture import margin_patches
from train.paths import add_own_pictures, find_paths
from train.pictures import PHOTOS, PRODUCTS, Collection, Layout, Picture

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

SEED = 1  # of which pictures are chosen
PER_CLASS = {PHOTOS: 30, PRODUCTS: 25}  # pictures of a live model's points
FASHION_LIVE, FASHION_ALONE = 10, 60  # Fashion-MNIST images of a class: beside real pictures, and for its own models
ROOMS = 100  # patches from the photos' margins


@dataclass(frozen=True)
class Known:
    """Model-ready pixels, uint8 (H, W, C), and the labels that are right for them, one or several."""

    pixels: UInt8
    classes: tuple[str, ...]


def chosen(pictures: list[Picture], per_class: int, random: np.random.Generator) -> list[Picture]:
    """At most ``per_class`` training pictures of garments for each class, or group of classes right together."""
    found: dict[tuple[str, ...], list[Picture]] = {}
    for index in random.permutation(len(pictures)):
        picture = pictures[index]
        if picture.split == "train" and picture.is_garment:
            found.setdefault(picture.classes, []).append(picture)
    return [picture for _, rows in sorted(found.items()) for picture in rows[:per_class]]


def real_garments(path: Path, layout: Layout, spec: InputSpec, random: np.random.Generator) -> Iterator[Known]:
    """Garments of a collection; of photos also patches from their margins, which are none."""
    with Collection(path, layout) as collection:
        rows = chosen(collection.pictures, PER_CLASS[layout], random)
        for number, row in enumerate(rows):
            frame_rgb = collection.frame(row)
            yield Known(frame_to_input(frame_rgb, spec), row.classes)
            if layout is PHOTOS and number < ROOMS:
                yield Known(margin_patches(frame_rgb, spec, random)[0], (NONE,))


def fashion_garments(
    data: str | None, contract: Contract, per_class: int, random: np.random.Generator
) -> Iterator[Known]:
    """Images of Fashion-MNIST that the model was trained on."""
    train = load_fashion_mnist(data, contract.recipe["seed"]).train
    for label, name in enumerate(FASHION):
        rows = random.permutation(np.flatnonzero(train.labels == label))[:per_class]
        for pixels in images_to_input(train.images[np.sort(rows)], contract.input.shape):
            yield Known(pixels, (name,))


def known(
    contract: Contract, data: str | None, own_photos: Sequence[Path] = (), own_products: Sequence[Path] = ()
) -> list[Known]:
    """What a model's points show: training pictures of each class, also of a user's own collections, and rooms. Raises
    DataError."""
    random = np.random.default_rng(SEED)
    is_live = contract.variant == "live"
    pictures: list[Known] = []
    for layout, path in find_paths(find_data(data), own_photos, own_products).all if is_live else ():
        pictures += real_garments(path, layout, contract.input, random)
    return [
        *pictures,
        *fashion_garments(data, contract, FASHION_LIVE if is_live else FASHION_ALONE, random),
    ]


def make_points(classifier: Classifier, pictures: list[Known]) -> Points:
    """Points of pictures, ordered by label. Of several labels that are right the one likeliest to the model is taken.

    The axes are those of the first two principal components, each pointing where its largest number is positive.
    """
    labels = classifier.contract.labels
    outputs = classifier.infer(np.stack([picture.pixels for picture in pictures]))
    is_right = np.array([[label in picture.classes for label in labels] for picture in pictures])
    indices = np.where(is_right, outputs.logits, -np.inf).argmax(axis=-1)
    order = np.argsort(indices, kind="stable")
    features = unit(outputs.features)[order]
    centre = features.mean(axis=0)
    axes = np.linalg.svd(features - centre, full_matrices=False)[2][:2]
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=-1)])[:, np.newaxis]
    return Points(tuple(labels[index] for index in indices[order]), features, outputs.logits[order], centre, axes)


def main(argv: list[str]) -> int:
    """Makes the points of one model, or of all that are installed; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m train points", description=__doc__)
    parser.add_argument("--model", metavar="NAME", help="an installed model (all)")
    parser.add_argument(
        "--data", metavar="DIR", help="folder with fashion-mnist/, photos and products ($EDGE_APP_DATA)"
    )
    add_own_pictures(parser)
    args = parser.parse_args(argv)
    installed = [contract.name for contract in contracts()]
    if args.model and args.model not in installed:  # a file of another folder would take an installed one's points
        raise ModelNotFound(f"no model {args.model} is installed. Choose one of {', '.join(installed)}.")
    for name in [args.model] if args.model else installed:
        classifier = Classifier.load(name)
        points = make_points(classifier, known(classifier.contract, args.data, args.photos, args.products))
        content, path = pack_points(points, classifier.contract), points_path(classifier.contract)
        write_atomically(path, functools.partial(Path.write_bytes, data=content))
        print(f"{name}: {len(points.labels)} points, {len(content) / 1e3:.0f} kB -> {path}", flush=True)
    return 0
