"""What a live model is trained on: Fashion-MNIST, product pictures, photos and nothing at all, mixed anew every epoch.

Pictures are grey or RGB, C channels, and come with a mask: uint8 (N, S, S, C + 1), 0..255, the mask 255 where the
picture covers what is behind it. For the CNNs they are kept at twice the model's size. Fashion-MNIST is kept as small
and grey as it is, and enlarged when it is drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import keras
import numpy as np
import numpy.typing as npt

from edge_app.contract import InputSpec
from edge_app.labels import LIVE, NONE
from edge_app.pixels import resize
from edge_app.preprocess import frame_to_input
from train.data import Split
from train.pictures import Collection, Picture, rows_of

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

FASHION_GROUND = 12  # grey values up to this are background in Fashion-MNIST
GARMENT_SIDE = 22  # of 28 pixels, for garments that are pasted: frames hold them with some room around
PRODUCT_GROUND = 12  # grey values within this of white are background in product pictures
PATCHES_PER_PHOTO = 2
PATCH_SHARE = (0.2, 0.35)  # of the photo's shorter side
MARGIN = 0.06  # of the photo's side: as near its edge a patch stays


@dataclass(frozen=True)
class Part:
    """One part of a mixture: pictures with masks, uint8 (N, S, S, C + 1); targets, float32 (N, 11), 1 for each class
    that is right; ``count`` samples an epoch."""

    pictures: UInt8
    targets: Float32
    count: int


def target(classes: tuple[str, ...]) -> Float32:
    """float32 (11,): 1 for every class that is right."""
    return np.array([float(label in classes) for label in LIVE], dtype=np.float32)


def spec_of(side: int, channels: int) -> InputSpec:
    """How a live model's framing shows a frame: grey with one channel, RGB with three."""
    return InputSpec((side, side, channels), "grey" if channels == 1 else "rgb", "whole")


def outline_mask(is_garment: npt.NDArray[np.bool_]) -> UInt8:
    """Where a garment is, bool (H, W) -> mask uint8 (H, W): 255 there and in its holes, 0 around it."""
    outlines, _ = cv2.findContours(is_garment.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = cv2.drawContours(np.zeros(is_garment.shape, np.uint8), outlines, -1, 255, cv2.FILLED)
    return np.asarray(mask, dtype=np.uint8)


def with_masks(pictures: UInt8, masks: UInt8 | None = None) -> UInt8:
    """uint8 (N, S, S, C) and (N, S, S) -> (N, S, S, C + 1); without masks the pictures cover everything."""
    covers = np.full(pictures.shape[:3], 255, np.uint8) if masks is None else masks
    return np.concatenate([pictures, covers[..., np.newaxis]], axis=-1)


def enlarge(pictures: UInt8, side: int, channels: int) -> UInt8:
    """Pictures with masks (N, S, S, C + 1) -> (N, side, side, channels + 1), grey repeated.

    Pixels are repeated where the side is doubled, so that halving it gives them back; otherwise the picture is enlarged
    as Fashion-MNIST is for a colour model.
    """
    if pictures.shape[1] * 2 == side:
        pictures = pictures.repeat(2, axis=1).repeat(2, axis=2)
    elif pictures.shape[1] != side:
        pictures = np.stack([resize(picture, side, side) for picture in pictures])
    if pictures.shape[-1] != channels + 1:
        pictures = np.concatenate([pictures[..., :1].repeat(channels, axis=-1), pictures[..., 1:]], axis=-1)
    return pictures


def margin_patches(frame_rgb: UInt8, spec: InputSpec, random: np.random.Generator) -> list[UInt8]:
    """Patches from the corners of a photo, where floors, walls and beds are: uint8 (*spec.shape)."""
    height, width = frame_rgb.shape[:2]
    patches = []
    for _ in range(PATCHES_PER_PHOTO):
        length = max(2, round(random.uniform(*PATCH_SHARE) * min(height, width)))
        top = _near_an_edge(height, length, random)
        left = _near_an_edge(width, length, random)
        patches.append(frame_to_input(frame_rgb[top : top + length, left : left + length], spec))
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
        return resize(random.uniform(low, high, (grain, grain)).astype(np.uint8), side, side)
    if kind == 1:
        across = np.broadcast_to(np.linspace(low, high, side), (side, side))
        return np.asarray(across if random.random() < 0.5 else across.T, dtype=np.uint8)
    return np.full((side, side), random.choice([0, 255, low]), dtype=np.uint8)


def fashion_part(split: Split, count: int) -> Part:
    """Fashion-MNIST as it is."""
    return Part(with_masks(split.images[..., np.newaxis]), np.eye(len(LIVE), dtype=np.float32)[split.labels], count)


def pasted_part(split: Split, count: int) -> Part:
    """Fashion-MNIST's garments cut out and given a margin, each as it is and negated: there, dark cloth is light."""
    small = np.stack([resize(image, GARMENT_SIDE, GARMENT_SIDE) for image in split.images])
    margin = (split.images.shape[1] - GARMENT_SIDE) // 2
    images = np.pad(small, ((0, 0), (margin, margin), (margin, margin)))
    masks = np.stack([outline_mask(image > FASHION_GROUND) for image in images])
    images = images[..., np.newaxis]
    pictures = np.concatenate([with_masks(images, masks), with_masks(255 - images, masks)])
    return Part(pictures, np.tile(np.eye(len(LIVE), dtype=np.float32)[split.labels], (2, 1)), count)


def product_part(pictures: UInt8, targets: Float32, count: int) -> Part:
    """Product pictures uint8 (N, S, S, C) on white, each as it is and cut out."""
    masks = np.stack([outline_mask(image.min(axis=-1) < 255 - PRODUCT_GROUND) for image in pictures])
    both = np.concatenate([with_masks(pictures), with_masks(pictures, masks)])
    return Part(both, np.tile(targets, (2, 1)), count)


def nothing_part(patches: UInt8, count: int, random: np.random.Generator) -> Part:
    """Patches of rooms uint8 (N, S, S, C), and a third as many textures."""
    side, channels = patches.shape[1], patches.shape[-1]
    textures = np.stack([texture(side, random) for _ in range(max(1, len(patches) // 3))])
    pictures = np.concatenate([patches, textures[..., np.newaxis].repeat(channels, axis=-1)])
    return Part(with_masks(pictures), np.tile(target((NONE,)), (len(pictures), 1)), count)


@dataclass(frozen=True)
class Loaded:
    """One split of one or more collections: its rows, pictures uint8 (N, *spec.shape), targets float32 (N, 11), and
    patches from the pictures' margins, uint8 (M, *spec.shape)."""

    rows: list[Picture]
    pictures: UInt8
    targets: Float32
    patches: UInt8


def load(
    collections: Sequence[Collection], split: str, spec: InputSpec, seed: int, *, with_patches: bool = False
) -> Loaded:
    """Pictures framed as a live model sees them, and patches from their margins, if wanted. Raises DataError."""
    random = np.random.default_rng(seed)
    rows: list[Picture] = []
    pictures: list[UInt8] = []
    patches: list[UInt8] = []
    for collection, row in rows_of(collections, split):
        frame_rgb = collection.frame(row)
        rows.append(row)
        pictures.append(frame_to_input(frame_rgb, spec))
        patches += margin_patches(frame_rgb, spec, random) if with_patches else []
    targets = np.stack([target(row.classes) for row in rows])
    return Loaded(rows, np.stack(pictures), targets, np.reshape(np.array(patches, np.uint8), (-1, *spec.shape)))


class MixedBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of a mixture, drawn anew for every epoch from (seed, epoch) alone.

    Each holds the parts in their proportions and in their order: inputs float32 (B, S, S, 2 C + 1), which are picture,
    mask and a background that it may be pasted on, and targets float32 (B, 11). ``backgrounds`` is uint8 (M, S, S, C).
    """

    def __init__(self, parts: list[Part], backgrounds: UInt8, batch_size: int, seed: int, epoch: int) -> None:
        super().__init__()
        self.parts, self.backgrounds, self.seed, self.epoch = parts, backgrounds, seed, epoch
        self.batches = math.ceil(sum(part.count for part in parts) / batch_size)
        self.shares = [max(1, round(part.count / self.batches)) for part in parts]
        self._draw()

    def _draw(self) -> None:
        """Which of each part's examples come in this epoch: each about as often as any other."""
        random = np.random.default_rng((self.seed, self.epoch))
        self.orders = []
        for part, share in zip(self.parts, self.shares, strict=True):
            wanted, size = share * self.batches, len(part.pictures)
            rounds = [random.permutation(size) for _ in range(math.ceil(wanted / size))]
            self.orders.append(np.concatenate(rounds)[:wanted])
        self.behind = random.integers(len(self.backgrounds), size=(self.batches, sum(self.shares)))

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> tuple[Float32, Float32]:
        side, channels = self.backgrounds.shape[1], self.backgrounds.shape[-1]
        pictures, targets = [], []
        for part, share, order in zip(self.parts, self.shares, self.orders, strict=True):
            chosen = order[index * share : (index + 1) * share]
            pictures.append(enlarge(part.pictures[chosen], side, channels))
            targets.append(part.targets[chosen])
        behind = self.backgrounds[self.behind[index]]
        inputs = np.concatenate([np.concatenate(pictures), behind], axis=-1)
        return inputs.astype(np.float32), np.concatenate(targets)

    def on_epoch_end(self) -> None:
        """Called by Keras between two epochs."""
        self.epoch += 1
        self._draw()
