"""What a conversion is calibrated and measured on: pictures of the variant's own kind."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.contract import InputSpec
from edge_app.errors import DataError
from edge_app.preprocess import frame_to_input, images_to_input
from train.data import FashionMnist, find_data, load_fashion_mnist
from train.paths import UNPACKED, Paths, digests_of, gather_paths, others
from train.pictures import PHOTOS, Collection, Layout, Picture, require_apart, rows_of
from train.recipes import Config
from train.source import Source

UInt8 = npt.NDArray[np.uint8]

CALIBRATION_PER_CLASS = 200
PARITY_IMAGES = 1000


@dataclass(frozen=True)
class Data:
    """Fashion-MNIST, and where collections of real pictures are, as far as they are at hand."""

    fashion_mnist: FashionMnist
    paths: Paths

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the collections (train.paths.digests_of)."""
        return digests_of(self.paths)


@dataclass(frozen=True)
class Prepared:
    """Pictures of a layout: their rows, and model-ready pixels uint8 (N, H, W, C)."""

    rows: list[Picture]
    pixels: UInt8


def load_data(
    data_dir: str | None, config: Config, own_photos: Sequence[Path] = (), own_products: Sequence[Path] = ()
) -> Data:
    """Fashion-MNIST, split as in the run of this ``config``; those of photos and products that are in the same folder,
    and a user's own.

    Raises DataError if something is damaged, or if it is for a live model and there are no photos.
    """
    paths = gather_paths(find_data(data_dir), own_photos, own_products)
    if config.recipe.mixture and not paths.photos:
        raise DataError(
            "a live model is calibrated on photos: put photos.zip, or a folder photos, beside fashion-mnist/ in the "
            "folder named by --data or EDGE_APP_DATA, or name an archive or folder with --photos."
        )
    return Data(load_fashion_mnist(data_dir, config.seed), paths)


def require_same_pictures(source: Source, data: Data) -> None:
    """Raises DataError for a live network that has learned from other collections than those at hand: its thresholds
    would be fitted on people whose photos it may know."""
    if source.is_live and (names := others(source.config.data, data.digests)):
        raise DataError(
            f"{source.config.name} has learned from other {' and '.join(names)} than these, perhaps from some that are "
            "for validation here. Name what it has learned from, by --data, --photos and --products, or let it learn "
            "from these first: "
            f"python -m train {source.config.model} --recipe live --start-from RUN. {UNPACKED}"
        )


def prepare(
    paths: Sequence[Path], layout: Layout, split: str, spec: InputSpec, *, per_kind: int | None = None, seed: int = 0
) -> Prepared:
    """Pictures of a split as the app hands them to a model, at least one of them a garment; with ``per_kind`` so
    many of each class, drawn by ``seed``. Raises DataError if there is no garment."""
    with ExitStack() as stack:
        collections = [stack.enter_context(Collection(path, layout)) for path in paths]
        require_apart(collections)
        found = rows_of(collections, split)
        if per_kind is not None:
            kinds = np.unique([" ".join(row.classes) for _, row in found], return_inverse=True)[1]
            found = [found[index] for index in np.sort(stratified(kinds, per_kind, seed))]
        pixels = np.stack([frame_to_input(each.frame(row), spec) for each, row in found])
    return Prepared([row for _, row in found], pixels)


def calibration_pixels(data: Data, spec: InputSpec, is_live: bool, seed: int) -> UInt8:
    """Training pictures, CALIBRATION_PER_CLASS of each class or all there are: Fashion-MNIST, for live also photos and
    products."""
    train = data.fashion_mnist.train
    chosen = np.sort(stratified(train.labels, CALIBRATION_PER_CLASS, seed))
    parts = [images_to_input(train.images[chosen], spec.shape)]
    for layout, paths in data.paths.by_layout.items() if is_live else ():
        parts.append(prepare(paths, layout, "train", spec, per_kind=CALIBRATION_PER_CLASS, seed=seed).pixels)
    return np.concatenate(parts)


def stratified(kinds: npt.NDArray[np.integer], per_kind: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of ``per_kind`` random examples of each kind, or of all there are."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.permutation(np.flatnonzero(kinds == kind))[:per_kind] for kind in np.unique(kinds)])


def validation_pictures(data: Data, spec: InputSpec) -> dict[Layout, Prepared]:
    """Each layout's validation pictures as the app would hand them to a model. Raises DataError."""
    return {layout: prepare(paths, layout, "val", spec) for layout, paths in data.paths.by_layout.items()}


def parity_pixels(data: Data, pictures: dict[Layout, Prepared], spec: InputSpec, is_live: bool) -> UInt8:
    """A thousand validation pictures: Fashion-MNIST, or photos first."""
    fashion = images_to_input(data.fashion_mnist.val.images[:PARITY_IMAGES], spec.shape)
    parts = [pictures[PHOTOS].pixels, fashion] if is_live else [fashion]
    return np.concatenate(parts)[:PARITY_IMAGES]
