"""Who teaches a network: trained runs and checkpoints that see its views, or converted models that see their own."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from edge_app.classifier import Classifier
from edge_app.errors import RunError
from edge_app.labels import LIVE
from train.devices import computing_in
from train.eight_bits import CONVERTED
from train.models import WIDE
from train.recipes import ANSWERING, ASKED_ONCE, TEACHING, Recipe
from train.source import load_source, require_same_labels, require_same_lesson, require_seed
from train.team import ALONE, Team
from train.vgg19 import weights_digest


@dataclass(frozen=True)
class Staff:
    """Keras ``networks`` or ``answering`` models, one of the two empty, and what identifies them: name -> digest."""

    networks: tuple[keras.Model, ...] = ()
    answering: tuple[Classifier, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """In the order in which they were named."""
        return tuple(name for name, _ in self.digests)

    def recipe(self, recipe: Recipe, *, beforehand: bool) -> Recipe:
        """The recipe, with the way in which these teach; ``beforehand``: slow ones are better asked once."""
        if not self.digests:
            return recipe
        is_slow = beforehand and any(network.name == WIDE for network in self.networks)
        asked = ASKED_ONCE if is_slow and recipe.mixture is None else TEACHING
        return replace(recipe, teaching=ANSWERING if self.answering else asked)


def load_staff(
    paths: list[Path],
    recipe: Recipe,
    shape: tuple[int, int, int],
    seed: int,
    *,
    precision: str = "float32",
    team: Team = ALONE,
) -> Staff:
    """The teachers of a network for pictures of ``shape``, trained with its ``seed``, too: they are not to have learned
    what it is chosen by. Networks compute in its ``precision``. Raises RunError where they cannot teach it."""
    converted = [path for path in paths if path.suffix.lower() == CONVERTED]
    if len(converted) not in (0, len(paths)):
        raise RunError(f"runs and {CONVERTED} files do not teach together: name one kind with --teacher.")
    if converted and team.processes > 1:
        raise RunError(f"a {CONVERTED} teaches on one machine: train there, or name a run with --teacher.")
    if converted:
        answering = tuple(load_answering(path, recipe, shape) for path in converted)
        seeds = [one.contract.recipe["seed"] for one in answering]
        staff = Staff((), answering, tuple((one.contract.name, one.contract.sha256) for one in answering))
    else:
        with team.scope(), computing_in(precision):
            sources = [load_source(path) for path in paths]
        seeds = [source.config.seed for source in sources]
        require_same_lesson(sources, recipe, shape)
        digests = tuple((source.config.name, weights_digest(source.network)) for source in sources)
        staff = Staff(tuple(source.network for source in sources), (), digests)
    for path, its_seed in zip(paths, seeds, strict=True):
        require_seed(path, its_seed, seed)
    if len(set(staff.names)) < len(staff.names):
        raise RunError(
            f"teachers need names of their own, not {', '.join(staff.names)}. Name each once with --teacher."
        )
    return staff


def load_answering(path: Path, recipe: Recipe, shape: tuple[int, int, int]) -> Classifier:
    """A converted model. Raises RunError unless it is for camera frames, as its pupil is to be, a CNN."""
    if recipe.mixture is None or shape[-1] != 1:
        raise RunError(f"{path.name} teaches CNNs by --recipe live only. Name a run or a checkpoint with --teacher.")
    model = Classifier.load(str(path), threads=min(4, os.cpu_count() or 1))
    if model.contract.variant != "live":
        raise RunError(f"{path.name} is not for camera frames: it cannot teach what --recipe live learns.")
    require_same_labels(path, model.contract.labels, LIVE)
    return model
