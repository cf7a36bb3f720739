"""One training run, from data to a folder that holds everything about it."""

import dataclasses
import errno
import json
import platform
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from edge_app.classifier import Classifier
from edge_app.decide import probabilities
from edge_app.errors import RunError
from edge_app.labels import FASHION, LIVE
from edge_app.preprocess import images_to_input
from train.answers import Answering, known, train_answered
from train.data import FashionMnist, Split, one_hot
from train.devices import device_name
from train.fashion_answers import answered_fashion
from train.files import write_atomically, write_json
from train.fit import Examples, Trained, drops, fashion_phases, fit, views
from train.keeper import HISTORY, STATE
from train.live import judge_live, load_lessons, train_live
from train.metrics import accuracy, class_reports, confusion, cross_entropy
from train.models import build, flattened
from train.normalized import cnn_to_train, network_to_train, plain
from train.paths import Paths
from train.plots import plot_confusion, plot_curves, plot_examples
from train.recipes import Config, flat
from train.report import REPORT, write_report
from train.settle import settle
from train.team import ALONE, Team, on_one_device
from train.vgg19 import train_vgg19, weights_digest
from train.vgg19_live import tune_vgg19

CONFIG = "config.json"
LOCK = ".lock"
WEIGHTS = "model.weights.h5"
RESULT = "result.json"
CURVES, CONFUSION, RIGHT, WRONG = "curves.png", "confusion.png", "right.png", "mistakes.png"
PICTURES = {"Training": CURVES, "Confusion": CONFUSION, "Named rightly": RIGHT, "Mistakes it was surest of": WRONG}
MISTAKES = 48
NOT_SET, MOST_SAID = "not set", 6  # of settings that differ

Float32 = npt.NDArray[np.float32]


def open_run(run_dir: Path, config: Config, is_chief: bool = True) -> bool:
    """Makes the run's folder (the chief does), or goes into it again; True if the run is already complete.

    Raises RunError if the folder holds another run.
    """
    path = run_dir / CONFIG
    began = path.exists() and any(file.name not in (CONFIG, LOCK) for file in run_dir.iterdir())
    if began:
        there, wanted = flat(read_config(run_dir).to_json()), flat(config.to_json())
        names = [name for name in {**wanted, **there} if there.get(name) != wanted.get(name)]
        if others := [f"{name} {there.get(name, NOT_SET)} there, {wanted.get(name, NOT_SET)} now" for name in names]:
            said = "; ".join(others[:MOST_SAID]) + ("; ..." if len(others) > MOST_SAID else "")
            longer = " (With a GPU some recipes are longer.)" if any("epochs" in name for name in names) else ""
            raise RunError(
                f"{run_dir} holds a run of another configuration: {said}.{longer} Name another --out, or delete the "
                "folder."
            )
    elif is_chief:
        write_json(path, config.to_json())
    return (run_dir / RESULT).exists()


def read_config(run_dir: Path) -> Config:
    """The configuration a run was started with. Raises RunError if there is none, or it cannot be read."""
    path = run_dir / CONFIG
    try:
        return Config.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: {error}. Name the folder of a run made by `python -m train`.") from error
    except RunError as error:
        raise RunError(f"{path}: {error} Train it again, under another --out.") from error


def read_result(run_dir: Path) -> dict[str, Any]:
    """What a complete run came to. Raises RunError if it cannot be read."""
    path = run_dir / RESULT
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        require_complete(result)
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            f"{path}: damaged ({error}). Delete it: the same `python -m train` makes it again from {STATE}, without "
            "training anew."
        ) from error
    return result


def require_complete(result: dict[str, Any]) -> None:
    """Raises ValueError if a run's result lacks what is known of one that has ended."""
    if missing := {"parameters", "best_epoch", "test", "training_s", "device", "backend", "versions"} - set(result):
        raise ValueError(f"its result lacks {', '.join(sorted(missing))}")


def write_weights(path: Path, network: keras.Model) -> None:
    """As Keras writes them, atomically. Raises OSError, also for what HDF5 makes a RuntimeError of: a full disk."""
    try:
        write_atomically(path, network.save_weights)
    except RuntimeError as error:
        raise OSError(errno.EIO, f"HDF5: {error}", str(path)) from error


def versions() -> dict[str, str]:
    """Of Python, Keras, its backend, numpy and OpenCV."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: version(backend),
        "numpy": np.__version__,
        "opencv": version_of_opencv(),
    }


def version_of_opencv() -> str:
    """OpenCV's version, whichever of its packages is installed."""
    import cv2

    return str(cv2.__version__)


def train_cnn(
    config: Config,
    data: FashionMnist,
    run_dir: Path,
    teachers: tuple[keras.Model, ...],
    *,
    start: keras.Model | None = None,
    team: Team = ALONE,
) -> Trained:
    """Trains any but vgg19 on Fashion-MNIST, from new weights or those of ``start``."""
    train, val = (Examples(split.images[..., np.newaxis], one_hot(split.labels)) for split in (data.train, data.val))
    phases = as_they_are = fashion_phases(config.recipe, train, config.seed)
    if (teaching := config.recipe.teaching) and teaching.views:
        phases = answered_fashion(config, train, teachers, run_dir)
        val = Examples(val.inputs, known(val.targets))

    def met() -> Float32:
        return views(as_they_are[0])

    network = cnn_to_train(config, start, met)
    history = fit(network, config, phases, val, run_dir, teachers=teachers, team=team)
    return Trained(network, history, met)


def logits_of(network: keras.Model, split: Split) -> Float32:
    """float32 (N, classes) of a Keras model for all images of a split."""
    pixels = images_to_input(split.images, network.input_shape[1:])
    return np.asarray(network.predict(pixels, batch_size=100, verbose=0)["logits"], np.float32)


def evaluate(logits: Float32, split: Split, labels: tuple[str, ...]) -> dict[str, Any]:
    """Loss, accuracy, confusion matrix and a report per class of logits (N, len(labels)) on one split."""
    matrix = confusion(split.labels, logits.argmax(axis=-1), len(labels))
    return {
        "loss": cross_entropy(split.labels, logits),
        "accuracy": accuracy(split.labels, logits),
        "classes": [dataclasses.asdict(report) for report in class_reports(matrix, labels)],
        "confusion": matrix.tolist(),
    }


def plot_answers(logits: Float32, split: Split, labels: tuple[str, ...], run_dir: Path) -> None:
    """``run_dir``/right.png and mistakes.png: the first image of each class that is named rightly, and the MISTAKES
    images that were named wrongly with the highest probabilities."""
    probs = probabilities(logits, 1.0)
    named, surest = probs.argmax(axis=-1), probs.max(axis=-1)
    is_right = named == split.labels
    right = [int(np.flatnonzero(is_right & (split.labels == label))[0]) for label in np.unique(split.labels[is_right])]
    captions = [f"{labels[named[i]]}\n{surest[i]:.0%}" for i in right]
    plot_examples(split.images[right], captions, f"{is_right.sum():,} of {len(named):,} are right", run_dir / RIGHT)
    wrong = np.flatnonzero(~is_right)
    worst = wrong[np.argsort(-surest[wrong], kind="stable")][:MISTAKES]
    captions = [f"{labels[split.labels[i]]}\n{labels[named[i]]}, {surest[i]:.0%}" for i in worst]
    title = f"{len(wrong):,} of {len(named):,} are wrong; above what it is, below what it was taken for"
    plot_examples(split.images[worst], captions, title, run_dir / WRONG)


@dataclass(frozen=True)
class Inputs:
    """What goes into a run: Fashion-MNIST; for vgg19 its ``base``, with weights, and its ``head``, if it was tuned
    before; for ``live`` pictures' ``paths``; networks that teach, which take the same pixels and know the same classes,
    the ``team`` in whose scope all these were made; converted models that teach by ``answering`` to the same views,
    which they see in their own way; and the trained CNN with whose weights one is to ``start``."""

    data: FashionMnist
    base: keras.Model | None = None
    head: keras.Model | None = None
    paths: Paths | None = None
    teachers: tuple[keras.Model, ...] = ()
    team: Team = ALONE
    answering: tuple[Classifier, ...] = ()
    start: keras.Model | None = None


def run(config: Config, inputs: Inputs, run_dir: Path) -> dict[str, Any]:
    """Trains, then touches the test images once; returns the result, which is also in ``run_dir``; {} if not chief.

    Leaves config.json, model.weights.h5, history.csv, curves.png, confusion.png, right.png, mistakes.png,
    report.html, result.json, tensorboard/, state.npz (to go on from), for vgg19 features/ or head/, and for one that
    wide teaches on a CPU answers/.
    Raises RunError if another process is at it in the same folder, or it cannot be written to.
    """
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(run_dir / LOCK, timeout=0) if inputs.team.is_chief else nullcontext():
            return _run(config, inputs, run_dir)
    except Timeout as error:
        raise RunError(f"another process is training in {run_dir}. Wait for it, or name another --out.") from error
    except OSError as error:
        raise RunError(
            f"{run_dir} cannot be written to ({error.strerror or error}). Name another --out, or make room: a run that "
            "has begun holds whole epochs, and the same command goes on from the last one."
        ) from error


def _train(config: Config, inputs: Inputs, run_dir: Path) -> Trained:
    """Whatever the model and the recipe."""
    team = inputs.team
    with team.scope():
        if inputs.paths is not None and inputs.answering:
            answering = Answering(inputs.answering, inputs.paths)
            return train_answered(config, inputs.data, answering, run_dir, start=inputs.start, team=team)
        if inputs.paths is not None:
            lessons = load_lessons(config, inputs.data, inputs.paths)
            if inputs.base is not None:
                return tune_vgg19(config, lessons, run_dir, inputs.base, head=inputs.head, team=team)
            return train_live(config, lessons, run_dir, inputs.teachers, start=inputs.start, team=team)
        if inputs.base is not None:
            return train_vgg19(config, inputs.data, run_dir, inputs.base, team)
        return train_cnn(config, inputs.data, run_dir, inputs.teachers, start=inputs.start, team=team)


def _run(config: Config, inputs: Inputs, run_dir: Path) -> dict[str, Any]:
    team = inputs.team
    if open_run(run_dir, config, team.is_chief):
        result = read_result(run_dir)
        print(f"{run_dir} is complete; delete it to train again")
        return result
    keras.utils.set_random_seed(config.seed)
    trained = _train(config, inputs, run_dir)
    if not team.is_chief:
        return {}
    is_live = inputs.paths is not None
    labels = LIVE if is_live else FASHION
    network, history = trained.network, trained.history
    if team.devices > 1 or config.precision != "float32":
        network = on_one_device(network, lambda: network_to_train(config), team)
    best = max(history, key=lambda row: row["val_accuracy"])
    has_dropout = any(isinstance(layer, keras.layers.Dropout) for layer in flattened(network))
    if trained.views and has_dropout and drops(config.recipe, int(best["epoch"])):  # else training's averages are right
        settle(network, trained.views)
    if config.recipe.normalized:
        network = plain(network, build(config.model, live=is_live))
    write_weights(run_dir / WEIGHTS, network)

    logits = logits_of(network, inputs.data.test)
    test = evaluate(logits, inputs.data.test, labels)
    result = {
        "name": config.name,
        "parameters": network.count_params(),
        "best_epoch": int(best["epoch"]),
        "val_accuracy": best["val_accuracy"],
        "test": test,
        "pictures": judge_live(network, inputs.paths, config.seed) if inputs.paths else {},
        "training_s": round(sum(row["seconds"] for row in history), 1),
        "device": device_name(team.devices),
        "backend": keras.backend.backend(),
        "versions": versions(),
        "weights_sha256": weights_digest(network),
    }
    recipe = config.recipe
    plot_curves(history, config.name, recipe, run_dir / CURVES)
    title = f"{config.name}: {test['accuracy']:.2%} of the test images right"
    plot_confusion(np.array(test["confusion"]), labels, title, run_dir / CONFUSION)
    plot_answers(logits, inputs.data.test, labels, run_dir)
    write_report(run_dir, config, result, {heading: run_dir / name for heading, name in PICTURES.items()})
    write_json(run_dir / RESULT, result)
    return result


def summary(result: dict[str, Any], run_dir: Path) -> str:
    """The result as a table to print."""
    lines = [f"{'':12s} precision  recall     F1"]
    lines += [
        f"{r['label']:12s}    {r['precision']:.3f}   {r['recall']:.3f}  {r['f1']:.3f}"
        for r in result["test"]["classes"]
    ]
    lines += [
        f"test accuracy {result['test']['accuracy']:.2%}, loss {result['test']['loss']:.4f} "
        f"(weights of epoch {result['best_epoch']}, validation {result['val_accuracy']:.2%})",
        *(
            f"{name}, validation: {found['right']:.1%} of the garments right, {found['balanced']:.1%} balanced over "
            f"classes, AUROC of none {'-' if found['auroc'] is None else format(found['auroc'], '.3f')}"
            for name, found in result["pictures"].items()
        ),
        f"everything about this run: {run_dir}/ ({REPORT}, {HISTORY}, {RESULT}, tensorboard/, ...)",
    ]
    return "\n".join(lines)
