"""The recipe ``live`` for vgg19: its base, trained on ImageNet, tuned to garments in the world.

With a GPU all of it is tuned, on pictures drawn anew every epoch. On a CPU an epoch of that takes hours: there the
blocks below block 5 stay as they are, and what they make of the pictures is computed once and kept.
"""

import dataclasses
import functools
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from edge_app.errors import RunError
from train.augment import reseed
from train.devices import computing_in
from train.files import write_atomically
from train.fit import Batches, Examples, Phase, Trained, fit
from train.live import Lessons
from train.models import build_vgg19_head, join_vgg19
from train.recipes import Config, Tuning
from train.team import ALONE, Team

Float16 = npt.NDArray[np.float16]
Float32 = npt.NDArray[np.float32]

FROZEN_UP_TO = "block4_pool"
CHUNK = 1000


def tune_vgg19(config: Config, lessons: Lessons, run_dir: Path, base: keras.Model, team: Team = ALONE) -> Trained:
    """Trains a new head on ``base``, then tunes both. The network is the whole one, the history that of the tuning.

    The head's own history is in ``run_dir``/head.
    """
    tuning = config.recipe.tuning
    assert tuning is not None
    with computing_in(config.precision):
        head = build_vgg19_head(base.output_shape[1:], live=True)
    network = join_vgg19(base, head)
    augment = lessons.augmentation(config)
    if tuning.whole:
        learning, val, batches = network, lessons.val, lessons.batches
        through: keras.Model | None = augment
    else:
        lower, learning = split_base(base, head)
        train = mixture_maps(config, lessons, augment, lower, run_dir / "features")
        val = Examples(maps_of_pictures(lessons.val, augment, lower, run_dir / "features"), lessons.val.targets)
        through = None

        def batches(epoch: int) -> Batches:
            return Batches(train, config.recipe.batch_size, config.seed, epoch)

    base.trainable = False
    for_head_alone = [Phase(tuning.head_epochs, batches, through)]
    fit(learning, for_head(config, tuning), for_head_alone, val, run_dir / "head", team=team)
    base.trainable = True
    history = fit(learning, config, [Phase(config.recipe.augmented_epochs, batches, through)], val, run_dir, team=team)
    return Trained(network, history)


def for_head(config: Config, tuning: Tuning) -> Config:
    """The configuration of the first stage, in which only the head learns."""
    recipe = dataclasses.replace(
        config.recipe, learning_rate=tuning.head_rate, augmented_epochs=tuning.head_epochs, tuning=None
    )
    return dataclasses.replace(config, recipe=recipe)


def split_base(base: keras.Model, head: keras.Model) -> tuple[keras.Model, keras.Model]:
    """(pixels -> what block 4 gives, that -> logits and features); the layers are those of ``base`` and ``head``."""
    convolutions = base.layers[-1]
    cut = convolutions.get_layer(FROZEN_UP_TO)
    below = keras.Model(convolutions.input, cut.output)
    lower = keras.Model(base.input, below(base.get_layer("scale").output))
    maps = keras.Input(lower.output_shape[1:], name="maps")
    hidden = maps
    for layer in convolutions.layers[convolutions.layers.index(cut) + 1 :]:
        hidden = layer(hidden)
    outputs = head(hidden)
    return lower, keras.Model(maps, {"logits": outputs["logits"], "features": outputs["features"]})


def mixture_maps(config: Config, lessons: Lessons, augment: keras.Model, lower: keras.Model, folder: Path) -> Examples:
    """Augmented views of the mixture, as ``lower`` gives them: float16 maps; each batch is kept in a file.

    A view depends on the seed and the number of its batch alone, so that a stopped run goes on with the same.
    """
    tuning = config.recipe.tuning
    assert tuning is not None
    maps, targets = [], []
    for epoch in range(tuning.views):
        batches = lessons.batches(epoch)
        for index in range(len(batches)):
            path = folder / f"train-{epoch:02d}-{index:04d}.npy"
            inputs, right = batches[index]
            if not path.exists():
                reseed(augment, (config.seed, epoch, index))
                views = keras.ops.convert_to_numpy(augment(inputs, training=True))
                _keep(path, lower, views)
                if index % 20 == 19 or index + 1 == len(batches):
                    done = epoch * len(batches) + index + 1
                    print(f"views: {done:,} of {tuning.views * len(batches):,} batches", flush=True)
            maps.append(_kept(path))
            targets.append(right)
    return Examples(np.concatenate(maps), np.concatenate(targets))


def maps_of_pictures(examples: Examples, augment: keras.Model, lower: keras.Model, folder: Path) -> Float16:
    """Validation pictures as they are, as ``lower`` gives them: float16, kept in chunks."""
    chunks = []
    for start in range(0, len(examples.inputs), CHUNK):
        path = folder / f"val-{start:05d}.npy"
        if not path.exists():
            _keep(path, lower, augment.predict(examples.inputs[start : start + CHUNK], batch_size=100, verbose=0))
        chunks.append(_kept(path))
    return np.concatenate(chunks)


def _keep(path: Path, lower: keras.Model, pixels: Float32) -> None:
    maps = lower.predict(pixels, batch_size=64, verbose=0).astype(np.float16)
    write_atomically(path, functools.partial(np.save, arr=maps))


def _kept(path: Path) -> Float16:
    try:
        found: Float16 = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise RunError(f"{path}: damaged ({error}). Delete it, and it is computed again.") from error
    return found
