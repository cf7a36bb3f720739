"""What a conversion is calibrated and measured on: pictures of the variant's own kind."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.contract import InputSpec, sha256
from edge_app.errors import DataError
from edge_app.preprocess import frame_to_input, images_to_input
from train.data import FashionMnist, find_data, load_fashion_mnist
from train.pictures import PHOTOS, PRODUCTS, Collection, Layout, Picture, find_collection

UInt8 = npt.NDArray[np.uint8]

CALIBRATION_PER_CLASS = 200
PARITY_IMAGES = 1000


@dataclass(frozen=True)
class Data:
    """Fashion-MNIST, and collections of real pictures, where at hand."""

    fashion_mnist: FashionMnist
    pictures: dict[Layout, Path]

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the collections that are archives."""
        return {path.name: sha256(path) for path in self.pictures.values() if path.is_file()}


@dataclass(frozen=True)
class Prepared:
    """A collection's validation pictures: their rows, and model-ready pixels uint8 (N, H, W, C)."""

    rows: list[Picture]
    pixels: UInt8


def load_data(data_dir: str | None, seed: int, is_live: bool) -> Data:
    """Fashion-MNIST, and those of photos and products that are in the same folder.

    Raises DataError if something is damaged, or if it is for a live model and there are no photos.
    """
    folder = find_data(data_dir)
    found = {layout: find_collection(folder, layout) for layout in (PHOTOS, PRODUCTS)} if folder else {}
    pictures = {layout: path for layout, path in found.items() if path is not None}
    if is_live and PHOTOS not in pictures:
        raise DataError(
            "a live model is calibrated on photos: put photos.zip, or a folder photos, beside fashion-mnist/ in the "
            "folder named by --data or EDGE_APP_DATA."
        )
    return Data(load_fashion_mnist(data_dir, seed), pictures)


def rows_of(collection: Collection, split: str) -> list[Picture]:
    """The rows of a split, at least one of them a garment. Raises DataError if there is none."""
    rows = [row for row in collection.pictures if row.split == split]
    if not any(row.is_garment for row in rows):
        raise DataError(f"{collection.path}: no garment of the split {split}. Give some rows that split.")
    return rows


def frames_to_input(collection: Collection, rows: Iterable[Picture], spec: InputSpec) -> UInt8:
    """Pictures as the app hands them to a model: uint8 (N, *spec.shape)."""
    return np.stack([frame_to_input(collection.frame(row), spec) for row in rows])


def calibration_pixels(data: Data, spec: InputSpec, is_live: bool, seed: int) -> UInt8:
    """Training pictures, CALIBRATION_PER_CLASS of each class: Fashion-MNIST, for live also photos and products."""
    train = data.fashion_mnist.train
    chosen = np.sort(stratified(train.labels, CALIBRATION_PER_CLASS, seed))
    parts = [images_to_input(train.images[chosen], spec.shape)]
    for layout, path in data.pictures.items() if is_live else ():
        with Collection(path, layout) as collection:
            rows = rows_of(collection, "train")
            kinds = np.unique([" ".join(row.classes) for row in rows], return_inverse=True)[1]
            some = [rows[index] for index in np.sort(stratified(kinds, CALIBRATION_PER_CLASS, seed))]
            parts.append(frames_to_input(collection, some, spec))
    return np.concatenate(parts)


def stratified(kinds: npt.NDArray[np.integer], per_kind: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of ``per_kind`` random examples of each kind, or of all there are."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.permutation(np.flatnonzero(kinds == kind))[:per_kind] for kind in np.unique(kinds)])


def validation_pictures(data: Data, spec: InputSpec) -> dict[Layout, Prepared]:
    """Each collection's validation pictures as the app would hand them to a model. Raises DataError."""
    prepared = {}
    for layout, path in data.pictures.items():
        with Collection(path, layout) as collection:
            rows = rows_of(collection, "val")
            prepared[layout] = Prepared(rows, frames_to_input(collection, rows, spec))
    return prepared


def parity_pixels(data: Data, pictures: dict[Layout, Prepared], spec: InputSpec, is_live: bool) -> UInt8:
    """A thousand validation pictures: Fashion-MNIST, or photos first."""
    fashion = images_to_input(data.fashion_mnist.val.images[:PARITY_IMAGES], spec.shape)
    parts = [pictures[PHOTOS].pixels, fashion] if is_live else [fashion]
    return np.concatenate(parts)[:PARITY_IMAGES]
