"""The recipe ``live`` for vgg19: its base, trained on ImageNet, tuned to garments in the world.

With a GPU all of it is tuned. On a CPU the blocks below block 4 stay as they are: they see edges and textures, alike in
all pictures, and learning them, too, would take a third of the time or more (docs/training.md).
"""

import dataclasses
from pathlib import Path

import keras

from train.devices import computing_in
from train.fit import Phase, Trained, fit
from train.live import Lessons
from train.models import build_vgg19_head, join_vgg19
from train.recipes import Config, Tuning
from train.team import ALONE, Team


def tune_vgg19(
    config: Config,
    lessons: Lessons,
    run_dir: Path,
    base: keras.Model,
    *,
    head: keras.Model | None = None,
    team: Team = ALONE,
) -> Trained:
    """Trains a new head on ``base`` if there is none, then tunes both. The network is the whole one, the history that
    of the tuning.

    A new head's own history is in ``run_dir``/head.
    """
    tuning = config.recipe.tuning
    assert tuning is not None
    if head is None:
        with computing_in(config.precision):
            head = build_vgg19_head(base.output_shape[1:], live=True)
    network = join_vgg19(base, head)

    if tuning.head_epochs:
        base.trainable = False
        for_head_alone = [Phase(tuning.head_epochs, lessons.batches, lessons.augmentation(config))]
        fit(network, for_head(config, tuning), for_head_alone, lessons.val, run_dir / "head", team=team)
    tune_from(base, tuning.first_block)
    return Trained(network, fit(network, config, lessons.phases(config), lessons.val, run_dir, team=team))


def tune_from(base: keras.Model, first_block: int) -> None:
    """Lets the blocks of ``base`` learn, from the first (1..5) on; those below it stay as they are."""
    base.trainable = True
    for layer in base.layers[-1].layers:
        layer.trainable = layer.name >= f"block{first_block}"


def for_head(config: Config, tuning: Tuning) -> Config:
    """The configuration of the first stage, in which only the head learns."""
    recipe = dataclasses.replace(
        config.recipe, learning_rate=tuning.head_rate, augmented_epochs=tuning.head_epochs, tuning=None
    )
    return dataclasses.replace(config, recipe=recipe)
