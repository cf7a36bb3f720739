"""The recipe ``live``: a network that knows garments in photos, shops and Fashion-MNIST, and when there is none."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from edge_app.contract import InputSpec
from edge_app.labels import LIVE
from train.data import FashionMnist, Split
from train.fit import Examples, Phase, Trained, fit, views
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
    spec_of,
    with_masks,
)
from train.normalized import cnn_to_train
from train.paths import Paths
from train.pictures import PHOTOS, PRODUCTS
from train.recipes import Augmentation, Config
from train.team import ALONE, Team
from train.world import live_augmentation

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

STILL = Augmentation(rotation_deg=0, shift=0, shear_deg=0, zoom=0)
FASHION_VAL_PER_CLASS = 240  # about as many validation pictures as there are of products


@dataclass(frozen=True)
class Lessons:
    """What a live model learns from and is chosen by, ready to be drawn from."""

    parts: list[Part]
    backgrounds: UInt8
    val: Examples
    batch_size: int
    seed: int

    def batches(self, epoch: int) -> MixedBatches:
        """The mixture, from this epoch on."""
        return MixedBatches(self.parts, self.backgrounds, self.batch_size, self.seed, epoch)

    def augmentation(self, config: Config, is_final: bool = False) -> keras.Model:
        """What the batches go through on their way to the network; Fashion-MNIST stays as it is if ``is_final``."""
        recipe = dataclasses.replace(config.recipe, augmentation=STILL) if is_final else config.recipe
        return live_augmentation(self.batches(0).shares[0], config.shape, recipe, self.seed)

    def phases(self, config: Config) -> list[Phase]:
        """The recipe's epochs: all is changed, then all but Fashion-MNIST."""
        changed = config.recipe.augmented_epochs
        return [
            Phase(changed, self.batches, self.augmentation(config)),
            Phase(changed + config.recipe.final_epochs, self.batches, self.augmentation(config, is_final=True)),
        ]


def load_lessons(config: Config, data: FashionMnist, paths: Paths) -> Lessons:
    """Everything the recipe's mixture names, as large and as coloured as the model wants it. Raises DataError."""
    recipe, mixture, channels = config.recipe, config.recipe.mixture, config.shape[-1]
    assert mixture is not None
    spec = spec_of(config.size * 2 if channels == 1 else config.size, channels)
    with paths.opened() as collections:
        photos = load(collections[PHOTOS], "train", spec, config.seed, with_patches=True)
        products = load(collections[PRODUCTS], "train", spec, config.seed)
        val = [load(collections[layout], "val", spec, config.seed) for layout in (PHOTOS, PRODUCTS)]
    parts = [
        fashion_part(data.train, mixture.fashion),
        pasted_part(data.train, mixture.pasted),
        Part(with_masks(photos.pictures), photos.targets, mixture.photo_repeats * len(photos.pictures)),
        product_part(products.pictures, products.targets, mixture.products),
        nothing_part(photos.patches, mixture.nothing, np.random.default_rng(config.seed)),
    ]
    judges = [fashion_part(first_of_each(data.val, FASHION_VAL_PER_CLASS), 0)]
    judges += [Part(with_masks(loaded.pictures), loaded.targets, 0) for loaded in val]
    return Lessons(parts, photos.patches, as_examples(judges, spec), recipe.batch_size, config.seed)


def train_live(
    config: Config,
    lessons: Lessons,
    run_dir: Path,
    teachers: tuple[keras.Model, ...],
    *,
    start: keras.Model | None = None,
    team: Team = ALONE,
) -> Trained:
    """Trains a CNN on the mixture, from new weights or those of ``start``; the best epoch is chosen on validation
    pictures of all three kinds."""
    phases = lessons.phases(config)

    def met() -> Float32:
        return views(phases[-1])

    network = cnn_to_train(config, start, met)
    history = fit(network, config, phases, lessons.val, run_dir, teachers=teachers, team=team)
    return Trained(network, history, met)


def first_of_each(split: Split, count: int) -> Split:
    """The first ``count`` images of each class."""
    chosen = np.sort(np.concatenate([np.flatnonzero(split.labels == label)[:count] for label in range(10)]))
    return Split(split.images[chosen], split.labels[chosen])


def as_examples(parts: list[Part], spec: InputSpec) -> Examples:
    """All of the parts as they are, in the shape of MixedBatches' inputs, the background left black."""
    side, _, channels = spec.shape
    pictures = np.concatenate([enlarge(part.pictures, side, channels) for part in parts])
    inputs = np.concatenate([pictures, np.zeros_like(pictures[..., :channels])], axis=-1)
    return Examples(inputs, np.concatenate([part.targets for part in parts]))


def judge_live(network: keras.Model, paths: Paths, seed: int) -> dict[str, Any]:
    """Judgements of the validation photos and products, framed as in the app."""
    found = {}
    with paths.opened() as collections:
        for layout in (PHOTOS, PRODUCTS):
            loaded = load(collections[layout], "val", spec_of(*network.input_shape[2:]), seed)
            logits = network.predict(loaded.pictures, batch_size=100, verbose=0)["logits"]
            found[layout.name] = dataclasses.asdict(judge(LIVE, loaded.rows, logits))
    return found
