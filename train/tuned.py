"""What a training begins with, where it is not new weights: for vgg19 ImageNet's, or those of one that was tuned before
and is to be tuned further; for a CNN those of one that was trained before.

The tuned vgg19 is a run, or a converted model, which has its weights in 8 bits; the CNN is a run or a checkpoint.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import keras

from edge_app.errors import RunError
from train.eight_bits import CONVERTED, is_converted
from train.models import build_vgg19_base, build_vgg19_head, join_vgg19
from train.paths import START
from train.recipes import Recipe, further
from train.source import Source, load_source, require_seed
from train.vgg19 import load_base, weights_digest


@dataclass(frozen=True)
class Beginning:
    """What vgg19 begins with: a ``base``, and a ``head`` if it was tuned before; or a trained CNN, ``network``, and
    whether it learned ``normalized``. Then also the ``name`` it had, digests of what it had ``learned`` from, and of
    the weights, by what they are."""

    base: keras.Model | None = None
    head: keras.Model | None = None
    network: keras.Model | None = None
    normalized: bool = False
    name: str = ""
    learned: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def shortened(self, recipe: Recipe) -> Recipe:
        """The recipe, in which no head learns alone that was tuned before, and a trained CNN learns ``further``."""
        if self.network is not None:
            return further(recipe, self.normalized)
        if self.head is None or recipe.tuning is None:
            return recipe
        return replace(recipe, tuning=replace(recipe.tuning, head_epochs=0))


def begin(size: int, seed: int, backbone_weights: str | None, start_from: Path | None) -> Beginning:
    """ImageNet's weights, from a file or Keras's download, or those of a tuned vgg19. Raises RunError.

    ``seed`` has to be that of the tuned one: it says which images of Fashion-MNIST are for validation.
    """
    if start_from is None:
        base = load_base(size, backbone_weights)
        return Beginning(base, digests={"vgg19 base": weights_digest(base)})
    source, base, head = load_tuned(start_from, size, seed)
    name = source.name if is_converted(start_from) else source.config.name
    digests = {START + name: weights_digest(join_vgg19(base, head))}
    return Beginning(base, head, name=name, learned=source.config.data, digests=digests)


def begin_cnn(model: str, recipe: Recipe, seed: int, start_from: Path) -> Beginning:
    """A CNN that was trained before, for cameras or not as ``recipe`` is, with the same ``seed``. Raises RunError for
    any other."""
    kept = f"assets/checkpoints/{model if recipe.mixture else f'{model}-fashion-mnist'}.weights.h5"
    if is_converted(start_from):
        raise RunError(f"a CNN does not go on from a {CONVERTED}: name its run, or {kept}, with --start-from.")
    source = load_source(start_from)
    if source.config.model != model or source.is_live != (recipe.mixture is not None):
        raise RunError(
            f"{start_from} is {source.config.name}: {model} by --recipe {recipe.name} does not go on from it. Name a "
            f"run of {model} by that recipe, or {kept}, with --start-from."
        )
    require_seed(start_from, source.config.seed, seed)
    name, network = source.config.name, source.network
    return Beginning(
        network=network,
        normalized=source.config.recipe.normalized,
        name=name,
        learned=source.config.data,
        digests={START + name: weights_digest(network)},
    )


def load_tuned(path: Path, size: int, seed: int) -> tuple[Source, keras.Model, keras.Model]:
    """A trained vgg19 for cameras, for pictures of ``size`` x ``size`` pixels, whatever size it had.

    The head averages over places, so the weights fit any size. Raises RunError for any other network.
    """
    if not path.exists():
        raise RunError(f"{path}: not found. Name the folder of a run, or a {CONVERTED} file, with --start-from.")
    base = build_vgg19_base(size, None)
    head = build_vgg19_head(base.output_shape[1:], live=True)
    source = load_source(path)
    if source.config.model != "vgg19" or not source.is_live:
        raise RunError(
            f"{path} cannot be tuned further: it is {source.config.name}. Name the folder of a run of vgg19 by "
            f"--recipe live, or an int8 {CONVERTED} of one, with --start-from."
        )
    require_seed(path, source.config.seed, seed)
    join_vgg19(base, head).set_weights(source.network.get_weights())
    return source, base, head
