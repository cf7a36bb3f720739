"""A trained network: a run's folder, one of the checkpoints kept in assets/checkpoints, or a converted vgg19."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_app.classifier import Classifier
from edge_app.contract import InputSpec
from edge_app.errors import EdgeAppError, RunError
from edge_app.labels import FASHION, LIVE
from edge_app.models import CARD, assets_dir
from train.eight_bits import CONVERTED, is_converted, weights_of
from train.models import MODELS, WIDE, build, flattened
from train.recipes import Config, Recipe
from train.run import CONFIG, RESULT, WEIGHTS, require_complete
from train.vgg19 import weights_digest

SUFFIX = ".weights.h5"


@dataclass(frozen=True)
class Source:
    """A trained network with how it came about; its weights are rounded to float16, as checkpoints keep them, or to 8
    bits, if they were read back."""

    config: Config
    result: dict[str, Any]
    network: keras.Model
    is_run: bool

    @property
    def name(self) -> str:
        """The name under which the converted model is installed; ``best`` takes the place of ``article``."""
        return self.config.model if self.is_live else f"{self.config.model}-fashion-mnist"

    @property
    def is_live(self) -> bool:
        """Whether it is for camera frames."""
        return self.config.recipe.mixture is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """What its logits stand for."""
        return LIVE if self.is_live else FASHION


def load_source(path: Path) -> Source:
    """Reads a run's folder or a checkpoint, or reads back a vgg19 for cameras from its int8 .tflite, contract and card.

    Raises RunError if it is incomplete, foreign or damaged, and for any other .tflite.
    """
    if is_converted(path):
        return _read_back(path)
    is_run = path.is_dir()
    weights = path / WEIGHTS if is_run else path
    try:
        if is_run:
            config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
            result = json.loads((path / RESULT).read_text(encoding="utf-8"))
            digest = result.get("weights_sha256")  # runs and checkpoints of earlier versions have none
        else:
            record = json.loads(Path(str(path).removesuffix(SUFFIX) + ".json").read_text(encoding="utf-8"))
            config, result, digest = record["config"], record["result"], record.get("weights_sha256")
        parsed = Config.from_json(config)
        require_complete(result)
        is_live = parsed.recipe.mixture is not None
        learned = tuple(report["label"] for report in result["test"]["classes"])
    except (OSError, ValueError, TypeError, KeyError, RunError) as error:
        raise _incomplete(path, error) from error
    require_same_labels(path, learned, LIVE if is_live else FASHION)
    try:
        network = build(parsed.model, parsed.size, live=is_live)
        network.load_weights(weights)
        if digest not in (None, weights_digest(network)):
            raise ValueError("its weights are not those that the file beside it is of")
        network.set_weights([weight.astype(np.float16).astype(weight.dtype) for weight in network.get_weights()])
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, RunError) as error:  # RuntimeError: HDF5's own
        raise _incomplete(path, error) from error
    return Source(parsed, result, network, is_run)


def _incomplete(path: Path, error: Exception) -> RunError:
    return RunError(
        f"{path}: not a complete run or checkpoint ({str(error).rstrip('.')}). Name a folder that `python -m train` "
        f"has finished, or a file assets/checkpoints/NAME{SUFFIX}."
    )


def require_same_labels(path: Path, learned: Sequence[str], today: Sequence[str]) -> None:
    """Raises RunError for a trained network that was taught other classes than there are now."""
    if tuple(learned) != tuple(today):
        other = sorted({*learned} ^ {*today})
        raise RunError(
            f"{path} has learned other classes than edge_app/labels.py lists: they differ by {', '.join(other)}. Train "
            "one for these classes first, from new weights and without such a teacher."
            if other
            else f"{path} has learned the same classes in another order than edge_app/labels.py lists. Train one anew."
        )


def _read_back(path: Path) -> Source:
    try:
        contract = Classifier.load(str(path), threads=1).contract
    except EdgeAppError as error:
        raise RunError(str(error)) from error
    is_vgg19 = contract.architecture == "vgg19" and contract.variant == "live"
    if not is_vgg19 or contract.quantization != "int8" or contract.labels != LIVE:
        raise RunError(
            f"{path} is {contract.name}, {contract.quantization}: of {CONVERTED} files only an int8 one of a vgg19 for "
            "cameras, with today's classes, is read back. Name a run's folder or a checkpoint."
        )
    try:
        known = json.loads(path.with_suffix(CARD).read_text(encoding="utf-8"))
        if known["contract"]["sha256"] != contract.sha256:
            raise ValueError(f"{path.with_suffix(CARD).name} is of another file")
        config = Config.from_json(known["config"])
        accuracy = {"accuracy": known["float32_test_accuracy"]}
        result = known["training"] | {"test": accuracy, "versions": contract.versions}
        require_complete(result)
        if config.model != "vgg19" or config.shape != contract.input.shape or config.recipe.mixture is None:
            raise ValueError("card and contract disagree")
        network = build(config.model, config.size, live=True)
        weights = weights_of(path)
        for layer in flattened(network):
            if isinstance(layer, keras.layers.Layer) and layer.weights:
                layer.set_weights(weights[layer.name])
    except (OSError, ValueError, TypeError, KeyError, RunError) as error:
        raise RunError(
            f"{path} cannot be read back ({str(error).rstrip('.')}). Beside it have to be the contract and the card "
            f"that this version wrote with it, {path.stem}.json and {path.stem}{CARD}."
        ) from error
    return Source(config, result, network, is_run=False)


def checkpoint_of(run: str, digest: str) -> str | None:
    """The kept checkpoint of a run of that name, e.g. ``cnn4-live``, whose weights have that digest; None if none has.

    A relative path, as a command takes it in the project's folder.
    """
    for path in sorted((assets_dir() / "checkpoints").glob(f"*{SUFFIX}")):
        if not path.name.startswith(run.partition("-")[0]):
            continue
        try:
            source = load_source(path)
        except RunError:  # of another version, or damaged: whatever it is, it is not known to be that one
            continue
        if source.config.name == run and weights_digest(source.network) == digest:
            return f"assets/checkpoints/{path.name}"
    return None


def load_chain(path: Path) -> Source:
    """The same for a network that is one chain of layers, as all that a device runs are. Raises RunError for wide."""
    source = load_source(path)
    if source.config.model == WIDE:
        raise RunError(f"{path}: wide only teaches other networks. Name a run of one of {', '.join(MODELS)}.")
    return source


def input_spec(source: Source) -> InputSpec:
    """What a network is given by the app."""
    height, width, channels = source.network.input_shape[1:]
    framing = "whole" if source.is_live else "object"
    return InputSpec((height, width, channels), "grey" if channels == 1 else "rgb", framing)


def require_same_lesson(teachers: list[Source], recipe: Recipe, shape: tuple[int, int, int]) -> None:
    """Raises RunError for a teacher that takes other pictures than the student, or knows other classes."""
    for teacher in teachers:
        fits = teacher.network.input_shape[1:] == shape and shape[-1] == 1  # vgg19 is tuned without teachers
        if not fits or teacher.is_live != (recipe.mixture is not None):
            raise RunError(
                f"{teacher.config.name} cannot teach here: it takes {teacher.network.input_shape[1:]} and names "
                f"{len(teacher.labels)} classes. Name a CNN trained by a recipe of the same kind with --teacher."
            )


def require_seed(path: Path, its_seed: int, seed: int) -> None:
    """Raises RunError for a trained network that has learned what is for validation in a run with ``seed``."""
    if its_seed != seed:
        raise RunError(
            f"{path} was trained with seed {its_seed}, and so on images that with seed {seed} are for validation. "
            f"Go on with --seed {its_seed}."
        )
