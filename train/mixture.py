"""What a live model is trained on: Fashion-MNIST, product pictures, photos and nothing at all, mixed anew every epoch.

Pictures are kept at twice the model's size with a mask beside them: uint8 (N, 2S, 2S, 2), grey, 0..255. The mask
is 255 where the picture covers what is behind it.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt

from edge_app.contract import InputSpec
from edge_app.errors import DataError
from edge_app.labels import LIVE, NONE
from edge_app.pixels import resize
from edge_app.preprocess import frame_to_input
from train.data import Split
from train.fit import Examples
from train.pictures import Collection, Layout, Picture
from train.recipes import Mixture

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

OUTLINE = 12  # grey values: darker in Fashion-MNIST is background
PATCHES_PER_PHOTO = 2
PATCH_SHARE = (0.2, 0.35)  # of the photo's shorter side
MARGIN = 0.06  # of the photo's side: as near its edge a patch stays


def target(classes: tuple[str, ...]) -> Float32:
    """float32 (11,): 1 for every class that is right."""
    return np.array([float(label in classes) for label in LIVE], dtype=np.float32)


def prepare(frame_rgb: UInt8, side: int) -> UInt8:
    """A frame uint8 (H, W, 3), RGB, as a live model's framing shows it: grey uint8 (side, side)."""
    return frame_to_input(frame_rgb, InputSpec((side, side, 1), "grey", "whole"))[..., 0]


def garment_mask(image: UInt8) -> UInt8:
    """Fashion-MNIST image uint8 (28, 28) -> mask uint8 (28, 28): 255 in the garment and its holes, 0 around it."""
    outlines, _ = cv2.findContours((image > OUTLINE).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = cv2.drawContours(np.zeros_like(image), outlines, -1, 255, cv2.FILLED)
    return np.asarray(mask, dtype=np.uint8)


def margin_patches(frame_rgb: UInt8, count: int, side: int, random: np.random.Generator) -> list[UInt8]:
    """``count`` patches from the corners of a photo, where floors, walls and beds are: grey uint8 (side, side)."""
    height, width = frame_rgb.shape[:2]
    patches = []
    for _ in range(count):
        length = max(2, round(random.uniform(*PATCH_SHARE) * min(height, width)))
        top = _near_an_edge(height, length, random)
        left = _near_an_edge(width, length, random)
        patches.append(prepare(frame_rgb[top : top + length, left : left + length], side))
    return patches


def _near_an_edge(extent: int, length: int, random: np.random.Generator) -> int:
    inset = int(random.uniform(0, MARGIN) * extent)
    return inset if random.random() < 0.5 else max(0, extent - length - inset)


def texture(side: int, random: np.random.Generator) -> UInt8:
    """Noise of a random grain, a gradient, or one grey value, black and white among them: uint8 (side, side)."""
    low, high = np.sort(random.uniform(0, 255, 2))
    kind = random.integers(3)
    if kind == 0:
        grain = int(random.choice([2, 4, 7, 14, side]))
        noise = random.uniform(low, high, (grain, grain)).astype(np.uint8)
        return resize(noise, side, side)
    if kind == 1:
        ramp = np.linspace(low, high, side)
        across = np.broadcast_to(ramp, (side, side))
        return np.asarray(across if random.random() < 0.5 else across.T, dtype=np.uint8)
    return np.full((side, side), random.choice([0, 255, low]), dtype=np.uint8)


@dataclass(frozen=True)
class Pool:
    """Examples to draw from: pictures with masks uint8 (N, S, S, 2) and targets float32 (N, 11)."""

    pictures: UInt8
    targets: Float32


def with_masks(pictures: UInt8, masks: UInt8 | None = None) -> UInt8:
    """uint8 (N, S, S) twice -> (N, S, S, 2); without masks the pictures cover everything."""
    return np.stack([pictures, np.full_like(pictures, 255) if masks is None else masks], axis=-1)


def fashion_pool(split: Split, side: int, cut_out: bool) -> Pool:
    """Fashion-MNIST doubled in size; ``cut_out`` gives masks that let the background through around the garment."""
    doubled = split.images.repeat(side // 28, axis=1).repeat(side // 28, axis=2)
    masks = None
    if cut_out:
        small = np.stack([garment_mask(image) for image in split.images])
        masks = np.stack([resize(mask, side, side) for mask in small])
    targets = np.eye(len(LIVE), dtype=np.float32)[split.labels]
    return Pool(with_masks(doubled, masks), targets)


def picture_pool(path: Path, layout: Layout, split: str, side: int) -> tuple[Pool, list[Picture]]:
    """One split of a collection, framed as a live model sees it, and its rows. Raises DataError."""
    with Collection(path, layout) as collection:
        rows = [picture for picture in collection.pictures if picture.split == split]
        if not rows:
            raise DataError(f"{path}: no picture of the split {split}. Name another collection.")
        pictures = np.stack([prepare(collection.frame(row), side) for row in rows])
    return Pool(with_masks(pictures), np.stack([target(row.classes) for row in rows])), rows


def patch_bank(path: Path, layout: Layout, side: int, seed: int) -> UInt8:
    """Patches from the margins of a collection's training photos, uint8 (M, side, side)."""
    random = np.random.default_rng(seed)
    with Collection(path, layout) as collection:
        frames = (collection.frame(row) for row in collection.pictures if row.split == "train")
        return np.stack([patch for frame in frames for patch in margin_patches(frame, PATCHES_PER_PHOTO, side, random)])


@dataclass(frozen=True)
class Pools:
    """All that is mixed; ``patches`` uint8 (M, S, S) are both backgrounds and pictures of nothing."""

    fashion: Pool
    pasted: Pool
    photos: Pool
    products: Pool
    patches: UInt8


class MixedBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of a mixture, drawn anew for every epoch from (seed, epoch) alone.

    Each holds its parts in the mixture's proportions: Fashion-MNIST as it is in its first ``first`` rows, then all
    that is put into the world.
    """

    def __init__(self, pools: Pools, mixture: Mixture, batch_size: int, seed: int, epoch: int) -> None:
        super().__init__()
        self.pools, self.mixture, self.seed, self.epoch = pools, mixture, seed, epoch
        self.counts = part_counts(mixture, len(pools.photos.pictures))
        self.batches = math.ceil(sum(self.counts.values()) / batch_size)
        self.shares = {name: max(1, round(count / self.batches)) for name, count in self.counts.items()}
        self._draw()

    @property
    def first(self) -> int:
        """How many rows of each batch are Fashion-MNIST as it is."""
        return self.shares["fashion"]

    def _draw(self) -> None:
        """For each part, which of its pool's examples come in this epoch: each about as often as any other."""
        self.random = np.random.default_rng((self.seed, self.epoch))
        sizes = {
            "fashion": len(self.pools.fashion.pictures),
            "pasted": len(self.pools.pasted.pictures),
            "photos": len(self.pools.photos.pictures),
            "products": len(self.pools.products.pictures),
            "nothing": len(self.pools.patches),
        }
        self.orders = {}
        for name, size in sizes.items():
            wanted = self.shares[name] * self.batches
            rounds = [self.random.permutation(size) for _ in range(math.ceil(wanted / size))]
            self.orders[name] = np.concatenate(rounds)[:wanted]

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> tuple[Float32, Float32]:
        random = np.random.default_rng((self.seed, self.epoch, index))
        pictures, targets = [], []
        for name, pool in (
            ("fashion", self.pools.fashion),
            ("pasted", self.pools.pasted),
            ("photos", self.pools.photos),
            ("products", self.pools.products),
        ):
            chosen = self._chosen(name, index)
            found = pool.pictures[chosen].astype(np.float32)
            if name == "pasted":  # dark or light: Fashion-MNIST shows everything negated
                negated = random.random(len(chosen)) < 0.5
                found[negated, ..., 0] = 255 - found[negated, ..., 0]
            pictures.append(found)
            targets.append(pool.targets[chosen])
        chosen = self._chosen("nothing", index)
        nothing = self.pools.patches[chosen].copy()
        for image in nothing:
            if random.random() < 0.25:
                image[:] = texture(image.shape[0], random)
        pictures.append(with_masks(nothing).astype(np.float32))
        targets.append(np.tile(target((NONE,)), (len(chosen), 1)))
        return np.concatenate(pictures), np.concatenate(targets)

    def _chosen(self, name: str, index: int) -> npt.NDArray[np.int64]:
        share = self.shares[name]
        return self.orders[name][index * share : (index + 1) * share]

    def on_epoch_end(self) -> None:
        """Called by Keras between two epochs."""
        self.epoch += 1
        self._draw()


def part_counts(mixture: Mixture, photos: int) -> dict[str, int]:
    """Samples of each part in an epoch."""
    return {
        "fashion": mixture.fashion,
        "pasted": mixture.pasted,
        "photos": mixture.photo_repeats * photos,
        "products": mixture.products,
        "nothing": mixture.nothing,
    }


def as_examples(*pools: Pool) -> Examples:
    """Pools one after another, as validation examples."""
    return Examples(np.concatenate([p.pictures for p in pools]), np.concatenate([p.targets for p in pools]))
