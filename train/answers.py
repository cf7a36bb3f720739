"""Learning from what large models say: they see the mixture's views larger and in colour, their pupil in grey, 28x28.

An answer of theirs takes longer than a step of the pupil's. So the views of a few epochs are made and answered once,
kept beside the run's folder for all pupils, and seen again and again, in the end mirrored and moved a little each time.
Some have no right name but the teachers': two views in one, which show how the teachers go from one garment to another
(arXiv 2106.05237, section 2).
"""

import dataclasses
import functools
import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from numpy.lib.stride_tricks import sliding_window_view

from edge_app.classifier import Classifier
from edge_app.errors import RunError
from edge_app.labels import LIVE
from edge_app.preprocess import frame_to_input
from train.augment import augmentation_layers, reseed
from train.data import FashionMnist
from train.files import write_atomically
from train.fit import SETTLING, Batches, Examples, Phase, Trained, drops, fit
from train.live import Lessons, load_lessons
from train.mixture import spec_of
from train.normalized import cnn_to_train
from train.paths import START, Paths
from train.pictures import PHOTOS, PRODUCTS
from train.recipes import Config, Recipe
from train.team import ALONE, Team
from train.world import live_augmentation

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

VIEW_SIDE = 128  # pixels: as large as vgg19 wants them
MIXED_SHARE = 0.25  # this many views in one, for each view
MIXED = (0.25, 0.75)  # one's share in them
PUPIL = spec_of(28, 1)
CHUNK = 1000  # images


def known(targets: Float32, answers: Float32 | None = None) -> Float32:
    """Targets float32 (N, C) and teachers' logits of that shape, NaN where there are none -> float32 (N, 2, C)."""
    return np.stack([targets, np.full_like(targets, np.nan) if answers is None else answers], axis=1)


def moved(views: UInt8, pixels: int, random: np.random.Generator) -> UInt8:
    """Views uint8 (N, H, W, C), half of them mirrored, each moved to either side, up and down by ``pixels`` at most;
    what comes in at an edge repeats it."""
    flips = random.integers(2, size=len(views)).astype(bool)
    steps = random.integers(2 * pixels + 1, size=(2, len(views)))
    padded = np.pad(views, ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0)), mode="edge")
    padded[flips] = padded[flips, :, ::-1]
    windows = sliding_window_view(padded, views.shape[1:3], axis=(1, 2))  # (N, down, right, C, H, W)
    return np.moveaxis(windows[np.arange(len(views)), *steps], 1, -1)


class Rounds(Batches):
    """Batches of one after the other of equally many examples, an epoch each, and of the first again.

    What was answered is ``moved`` in every epoch anew, by ``pixels`` at most; 0 leaves it as it is.
    """

    def __init__(self, rounds: Sequence[Examples], batch_size: int, seed: int, epoch: int, pixels: int) -> None:
        self.rounds, self.pixels = rounds, pixels
        super().__init__(rounds[0], batch_size, seed, epoch)

    def _draw(self) -> None:
        self.examples = self.rounds[self.epoch % len(self.rounds)]
        if self.pixels:
            inputs, targets = self.examples.inputs.copy(), self.examples.targets
            is_answered = ~np.isnan(targets[:, 1, 0])
            answered = np.asarray(inputs[is_answered], np.uint8)
            inputs[is_answered] = moved(answered, self.pixels, np.random.default_rng((self.seed, self.epoch, 1)))
            self.examples = Examples(inputs, targets)
        super()._draw()


def mixed(views: UInt8, random: np.random.Generator) -> UInt8:
    """Of views uint8 (N, H, W, C) some more, MIXED_SHARE of them, each the weighted mean of two (arXiv 1710.09412)."""
    count = round(len(views) * MIXED_SHARE)
    one, other = (views[random.choice(len(views), count, replace=False)].astype(np.float32) for _ in range(2))
    share = random.uniform(*MIXED, (count, 1, 1, 1)).astype(np.float32)
    return np.rint(share * one + (1 - share) * other).astype(np.uint8)


def answer(views: UInt8, teachers: Sequence[Classifier]) -> tuple[UInt8, Float32]:
    """Views in RGB, uint8 (N, H, W, 3) -> what the pupil sees of them, uint8 (N, 28, 28, 1), and the teachers' mean
    logits, float32 (N, 11)."""
    pixels = np.stack([frame_to_input(view, PUPIL) for view in views])
    answers = [
        teacher.logits(np.stack([frame_to_input(view, teacher.contract.input) for view in views]))
        for teacher in teachers
    ]
    return pixels, np.mean(answers, axis=0, dtype=np.float32)


def answered_rounds(config: Config, world: Lessons, teachers: Sequence[Classifier], folder: Path) -> list[Examples]:
    """The recipe's ``views`` epochs of ``world``, a mixture in RGB of VIEW_SIDE, with answers; each batch is kept.

    A view depends on the seed, its batch's number and Keras's backend, so that a stopped run goes on with the same.
    """
    teaching = config.recipe.teaching
    assert teaching is not None
    augment = live_augmentation(0, (VIEW_SIDE, VIEW_SIDE, 3), config.recipe, config.seed)
    rounds = []
    for epoch in range(teaching.views):
        batches, pixels, targets = world.batches(epoch), [], []
        for index in range(len(batches)):
            path = folder / f"{epoch:02d}-{index:04d}.npz"
            if not path.exists():
                numbers = (config.seed, epoch, index)
                inputs, right = batches[index]
                reseed(augment, numbers)
                shown = to_uint8(augment(inputs, training=True))
                shown = np.concatenate([shown, mixed(shown, np.random.default_rng(numbers))])
                small, answers = answer(shown, teachers)
                named = np.zeros_like(answers)
                named[: len(right)] = right
                write_atomically(path, functools.partial(save_known, pixels=small, known=known(named, answers)))
                if index % 10 == 9 or index + 1 == len(batches):
                    done = epoch * len(batches) + index + 1
                    print(f"answers: {done:,} of {teaching.views * len(batches):,} batches", flush=True)
            kept = read_known(path)
            pixels.append(kept[0])
            targets.append(kept[1])
        rounds.append(Examples(np.concatenate(pixels), np.concatenate(targets)))
    return rounds


def fashion_rounds(config: Config, data: FashionMnist, count: int, as_they_are: bool) -> list[Examples]:
    """``views`` times ``count`` training images, each time others, with their names but no answers."""
    recipe = config.recipe
    assert recipe.teaching is not None
    augment = keras.Sequential([keras.Input((28, 28, 1)), *augmentation_layers(recipe.augmentation, config.seed)])
    rounds = []
    for epoch in range(recipe.teaching.views):
        chosen = np.random.default_rng((config.seed, epoch)).permutation(len(data.train.images))[:count]
        pixels = data.train.images[chosen][..., np.newaxis]
        if not as_they_are:
            reseed(augment, (config.seed, epoch))
            pixels = through(augment, pixels, training=True)
        rounds.append(Examples(pixels, known(np.eye(len(LIVE), dtype=np.float32)[data.train.labels[chosen]])))
    return rounds


def coloured_world(config: Config, data: FashionMnist, paths: Paths) -> Lessons:
    """The recipe's mixture without Fashion-MNIST as it is, in RGB of VIEW_SIDE."""
    lessons = load_lessons(dataclasses.replace(config, model="vgg19", size=VIEW_SIDE), data, paths)
    return dataclasses.replace(lessons, parts=lessons.parts[1:])


@dataclass(frozen=True)
class Answering:
    """Converted models that teach, and the pictures that they are asked about."""

    teachers: tuple[Classifier, ...]
    paths: Paths


def folder_of(config: Config, run_dir: Path) -> Path:
    """Where these teachers' answers to these views are kept: beside the run, so that other pupils find them."""
    recipe = config.recipe
    assert recipe.mixture is not None and recipe.teaching is not None
    coloured = dataclasses.replace(recipe.mixture, fashion=0)  # nobody is asked about Fashion-MNIST as it is
    mixture = [dataclasses.asdict(coloured), recipe.batch_size, VIEW_SIDE, MIXED_SHARE, MIXED]
    data = {name: digest for name, digest in config.data.items() if not name.startswith(START)}  # the pupil's own
    classes = [PHOTOS.classes, PHOTOS.training_classes, PRODUCTS.classes]
    asked = json.dumps([config.seed, data, mixture, recipe.teaching.views, classes], sort_keys=True)
    return run_dir.parent / "answers" / hashlib.sha256(asked.encode()).hexdigest()[:16]


def kept_answers(config: Config, data: FashionMnist, answering: Answering, folder: Path) -> list[Examples]:
    """``answered_rounds`` of the recipe's mixture. Raises RunError if another process is at it, or the disk is full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=0):
            world = coloured_world(config, data, answering.paths)
            return answered_rounds(config, world, answering.teachers, folder)
    except Timeout as error:
        raise RunError(
            f"another process asks the same in {folder}. Wait for it: its answers serve here, too."
        ) from error
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written to ({error.strerror or error}). All answers that it holds are whole: make "
            "room, and the same command goes on from the last one."
        ) from error


def train_answered(
    config: Config,
    data: FashionMnist,
    answering: Answering,
    run_dir: Path,
    *,
    start: keras.Model | None = None,
    team: Team = ALONE,
) -> Trained:
    """Trains a CNN, from new weights or those of ``start``, on the mixture and on the teachers' answers to it; the best
    epoch is chosen as without them."""
    recipe, mixture, teaching = config.recipe, config.recipe.mixture, config.recipe.teaching
    assert mixture is not None and teaching is not None
    world = kept_answers(config, data, answering, folder_of(config, run_dir))
    grey = load_lessons(config, data, answering.paths)
    val = Examples(through(grey.augmentation(config), grey.val.inputs), known(grey.val.targets))

    def rounds(as_they_are: bool) -> list[Examples]:
        fashion = fashion_rounds(config, data, mixture.fashion, as_they_are)
        return [
            Examples(np.concatenate([a.inputs, b.inputs]), np.concatenate([a.targets, b.targets]))
            for a, b in zip(world, fashion, strict=True)
        ]

    final = rounds(as_they_are=True)
    phases = answered_phases(recipe, rounds(as_they_are=False), final, config.seed)

    def met() -> Float32:
        return named_views(Rounds(final, recipe.batch_size, config.seed, 0, pixels=0))

    network = cnn_to_train(config, start, met)
    history = fit(network, config, phases, val, run_dir, team=team)
    return Trained(network, history, met)


def answered_phases(recipe: Recipe, changed: list[Examples], final: list[Examples], seed: int) -> list[Phase]:
    """The recipe's epochs: rounds in which Fashion-MNIST is changed, then those in which it is not; views move where
    dropout has ended, because a network without it learns by heart what it sees again and again."""
    teaching = recipe.teaching
    assert teaching is not None
    total = recipe.augmented_epochs + recipe.final_epochs
    ends = {recipe.augmented_epochs, min(recipe.dropout_epochs or total, total), total}

    def phase(end: int) -> Phase:
        rounds = changed if end <= recipe.augmented_epochs else final
        pixels = 0 if drops(recipe, end) else teaching.moved
        return Phase(end, lambda epoch: Rounds(rounds, recipe.batch_size, seed, epoch, pixels), None)

    return [phase(end) for end in sorted(ends)]


def named_views(batches: keras.utils.PyDataset) -> Float32:
    """The first SETTLING pictures or so, float32 (N, 28, 28, 1), that show one thing and not two in one."""
    found: list[Float32] = []
    for index in range(len(batches)):
        pixels, rows = batches[index]
        found.append(pixels[rows[:, 0].any(axis=1)])
        if sum(map(len, found)) >= SETTLING:
            break
    return np.concatenate(found)


def to_uint8(pixels: keras.KerasTensor) -> UInt8:
    """Pixels of any float type, about 0..255, rounded."""
    return np.asarray(np.clip(np.rint(keras.ops.convert_to_numpy(pixels)), 0, 255), np.uint8)


def through(augment: keras.Model, pictures: npt.NDArray[np.generic], training: bool = False) -> UInt8:
    """All pictures (N, ...) through ``augment``, a chunk at a time, on one device whatever the others do."""
    chunks = [pictures[start : start + CHUNK].astype(np.float32) for start in range(0, len(pictures), CHUNK)]
    return np.concatenate([to_uint8(augment(chunk, training=training)) for chunk in chunks])


def save_known(path: Path, pixels: UInt8, known: Float32) -> None:
    """Views uint8 (N, H, W, C), and what is ``known`` of them, in a file ``read_known`` reads."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, pixels=pixels, known=known)


def read_known(path: Path) -> tuple[UInt8, Float32]:
    """The inverse of ``save_known``. Raises RunError for a damaged file."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return found["pixels"], found["known"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(f"{path}: damaged ({error}). Delete it, and it is made again.") from error
