"""The recipe ``live``: a network that knows garments in photos, shops and Fashion-MNIST, and when there is none."""

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_app.contract import sha256
from edge_app.errors import DataError
from edge_app.labels import LIVE
from train.data import FashionMnist, Split
from train.fit import Examples, Phase, fit
from train.judge import judge
from train.mixture import (
    MixedBatches,
    Part,
    enlarge,
    fashion_part,
    load,
    nothing_part,
    pasted_part,
    product_part,
    with_masks,
)
from train.models import build
from train.pictures import PHOTOS, PRODUCTS, Collection, Layout, find_collection
from train.recipes import Config
from train.state import Row
from train.world import live_augmentation

FASHION_VAL_PER_CLASS = 240  # about as many validation pictures as there are of products


@dataclass(frozen=True)
class Paths:
    """Where collections of real pictures are: zip archives or folders."""

    photos: tuple[Path, ...]
    products: tuple[Path, ...]

    @property
    def all(self) -> tuple[tuple[Layout, Path], ...]:
        """Each with its layout."""
        return tuple((PHOTOS, path) for path in self.photos) + tuple((PRODUCTS, path) for path in self.products)

    @contextmanager
    def opened(self) -> Iterator[dict[Layout, list[Collection]]]:
        """All of them, open, by layout. Raises DataError."""
        with ExitStack() as stack:
            found: dict[Layout, list[Collection]] = {PHOTOS: [], PRODUCTS: []}
            for layout, path in self.all:
                found[layout].append(stack.enter_context(Collection(path, layout)))
            yield found


def find_paths(data_dir: Path | None, own_photos: list[Path], own_products: list[Path]) -> Paths:
    """photos and products of ``data_dir``, and a user's own. Raises DataError if there is none of a kind."""

    def find(layout: Layout, own: list[Path]) -> tuple[Path, ...]:
        published = find_collection(data_dir, layout) if data_dir else None
        if not (found := (*([published] if published else []), *own)):
            raise DataError(
                f"the recipe live needs {layout.name}: put {layout.name}.zip into the folder named by --data or "
                f"EDGE_APP_DATA, or name an archive or folder with --{layout.name}."
            )
        return found

    return Paths(find(PHOTOS, own_photos), find(PRODUCTS, own_products))


def digests_of(paths: Paths) -> dict[str, str]:
    """SHA-256 of each archive, or of a folder's table, by the collection's place. Raises DataError."""
    files = [path if path.is_file() else path / f"{layout.name}.csv" for layout, path in paths.all]
    try:
        return {file.name if file.suffix == ".zip" else "/".join(file.parts[-2:]): sha256(file) for file in files}
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror}). Name another collection.") from error


def train_live(
    config: Config, data: FashionMnist, paths: Paths, run_dir: Path, teachers: tuple[keras.Model, ...]
) -> tuple[keras.Model, list[Row]]:
    """Trains a CNN on the mixture; the best epoch is chosen on validation pictures of all three kinds."""
    recipe, mixture, side = config.recipe, config.recipe.mixture, 2 * config.size
    assert mixture is not None
    random = np.random.default_rng(config.seed)
    with paths.opened() as collections:
        photos, products = (load(collections[layout], "train", side, config.seed) for layout in (PHOTOS, PRODUCTS))
        val = [load(collections[layout], "val", side, config.seed) for layout in (PHOTOS, PRODUCTS)]
    parts = [
        fashion_part(data.train, mixture.fashion),
        pasted_part(data.train, mixture.pasted),
        Part(with_masks(photos.pictures), photos.targets, mixture.photo_repeats * len(photos.pictures)),
        product_part(products.pictures, products.targets, mixture.products),
        nothing_part(photos.patches, mixture.nothing, random),
    ]
    judges = [fashion_part(first_of_each(data.val, FASHION_VAL_PER_CLASS), 0)]
    judges += [Part(with_masks(loaded.pictures), loaded.targets, 0) for loaded in val]

    def batches(epoch: int) -> MixedBatches:
        return MixedBatches(parts, photos.patches, recipe.batch_size, config.seed, epoch)

    augment = live_augmentation(batches(0).shares[0], side, recipe, config.seed)
    network = build(config.model, config.size, len(LIVE))
    phases = [Phase(recipe.augmented_epochs, batches, augment)]
    return network, fit(network, config, phases, as_examples(judges, side), run_dir, teachers=teachers)


def first_of_each(split: Split, count: int) -> Split:
    """The first ``count`` images of each class."""
    chosen = np.sort(np.concatenate([np.flatnonzero(split.labels == label)[:count] for label in range(10)]))
    return Split(split.images[chosen], split.labels[chosen])


def as_examples(parts: list[Part], side: int) -> Examples:
    """All of the parts as they are, in the shape of MixedBatches' inputs, the background left black."""
    pictures = np.concatenate([enlarge(part.pictures, side) for part in parts])
    inputs = np.concatenate([pictures, np.zeros_like(pictures[..., :1])], axis=-1)
    return Examples(inputs, np.concatenate([part.targets for part in parts]))


def judge_live(network: keras.Model, paths: Paths, seed: int) -> dict[str, Any]:
    """Judgements of the validation photos and products, framed as in the app."""
    found = {}
    with paths.opened() as collections:
        for layout in (PHOTOS, PRODUCTS):
            loaded = load(collections[layout], "val", network.input_shape[1], seed)
            logits = network.predict(loaded.pictures[..., np.newaxis], batch_size=100, verbose=0)["logits"]
            found[layout.name] = dataclasses.asdict(judge(LIVE, loaded.rows, logits))
    return found
