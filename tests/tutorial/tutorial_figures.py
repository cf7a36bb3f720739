"""Where each figure of docs/tutorial.md comes from: a function for each kind, named in the page's comments.

All are read from the repository: contracts and cards of the shipped models, the records beside their weights, the
recipes, the networks as they are built. Nothing is measured here.
"""

import functools
import json
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from edge_app.decide import SMOOTHING_S
from edge_app.labels import FASHION
from edge_app.models import CARD, assets_dir
from train.compare import ARTICLE as ARTICLES_ACCURACY
from train.compare import table
from train.data import SOURCES, VALIDATION_PER_CLASS
from train.maps import activations
from train.models import CNNS, MODELS, build, flattened
from train.recipes import ARTICLE_AUGMENTATION, article

ROOT = Path(__file__).parents[2]
TRAINING_FILE, TEST_FILE = 60_000, 10_000  # images in each (arXiv 1708.07747); a test counts them where they are
VGG_SIZE = 64  # pixels, of the vgg19 in docs/results.md
ARTICLES = "fashion-mnist"  # the variant of a model that is the article's


@functools.cache
def card(model: str) -> dict[str, Any]:
    """The card of a shipped model."""
    content: dict[str, Any] = json.loads((assets_dir() / "models" / f"{model}{CARD}").read_text(encoding="utf-8"))
    return content


@functools.cache
def record(model: str) -> dict[str, Any]:
    """How the run ended from which a shipped model was made, in float32."""
    path = assets_dir() / "checkpoints" / f"{model}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["result"]
    return content


@functools.cache
def network(model: str) -> keras.Model:
    """One of the four, with weights that have learned nothing."""
    return build(model, VGG_SIZE if model == "vgg19" else 28)


@functools.cache
def built(model: str) -> dict[str, tuple[layers.Layer, tuple[int, ...]]]:
    """Each layer of a network and the shape of what it gives, by the names that `maps` uses."""
    shown = network(model)
    found = activations(shown, np.zeros(shown.input_shape[1:], np.uint8))
    return {one.name: (layer, one.values.shape) for one, layer in zip(found, flattened(shown), strict=True)}


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def accuracy(model: str, data: str) -> str:
    """Of the int8 file, as its contract says; a digit less where there are a few hundred pictures."""
    share = card(model)["contract"]["accuracy"][data]
    return percent(share) if data.startswith("fashion-mnist") else f"{100 * share:.1f} %"


def of_class(model: str, figure: str, label: str) -> str:
    """Precision, recall or F1 of a class on the test images, int8."""
    return percent(next(row[figure] for row in card(model)["classes"] if row["label"] == label))


def hardest(model: str) -> str:
    """The class with the lowest F1."""
    return str(min(card(model)["classes"], key=lambda row: row["f1"])["label"])


def best(data: str) -> str:
    """Which of the article's networks is right most often."""
    return max(CNNS, key=lambda model: float(card(f"{model}-{ARTICLES}")["contract"]["accuracy"][data]))


def taken(model: str, truth: str, named: str) -> str:
    """How many test images of one class get the name of another, in float32."""
    return f"{record(model)['test']['confusion'][FASHION.index(truth)][FASHION.index(named)]:,}"


def parameters(model: str, layer: str | None = None) -> str:
    """Of a network, or of one layer."""
    return f"{(built(model)[layer][0] if layer else network(model)).count_params():,}"


def minutes(model: str) -> str:
    """Of its last training; "more", where that went on from an earlier one."""
    more = " more" if card(model)["config"].get("start") else ""
    return f"{card(model)['training']['training_s'] / 60:.0f}{more}"


def vgg_recorded(column: int) -> str:
    """A cell of vgg19's row in docs/results.md; its file does not ship."""
    rows = (ROOT / "docs" / "results.md").read_text(encoding="utf-8").splitlines()
    return next(line for line in rows if line.startswith("| vgg19,")).split("|")[column].strip()


def megabytes(mode: str) -> str:
    """Of cnn4 in a mode, as docs/benchmark.json has it."""
    report = json.loads((ROOT / "docs" / "benchmark.json").read_text(encoding="utf-8"))
    return f"{next(m for m in report['models'] if m['name'] == 'cnn4')['bytes'][mode] / 1e6:.2f}"


def convolutions(model: str) -> str:
    return str(sum(isinstance(layer, layers.Conv2D) for layer, _ in built(model).values()))


def layers_table(model: str) -> str:
    """A row for each layer: what it gives and what it learns."""
    rows = []
    for name, (layer, shape) in built(model).items():
        if isinstance(layer, layers.Rescaling):
            continue
        shown = f"`{name}`, {layer.rate:g}" if isinstance(layer, layers.Dropout) else f"`{name}`"
        learned = sum(int(np.prod(weight.shape)) for weight in layer.weights)
        rows.append((shown, times(shape), f"{learned:,}" if learned else "-"))
    return table(("layer", "gives", "parameters"), rows)


def models_table() -> str:
    """The networks of the article: what they were and what they reached."""
    rows = []
    for model in CNNS:
        name = f"{model}-{ARTICLES}"
        trained = percent(card(name)["float32_test_accuracy"])
        shipped = accuracy(name, "fashion-mnist test")
        rows.append((f"`{model}`", parameters(model), minutes(name), trained, shipped))
    size = f"`vgg19`, {VGG_SIZE}x{VGG_SIZE} pixels"
    rows.append((size, parameters("vgg19"), "-", vgg_recorded(3), vgg_recorded(4)))
    with_article = [(*row, percent(ARTICLES_ACCURACY[model])) for row, model in zip(rows, MODELS, strict=True)]
    return table(("network", "parameters", "minutes", "float32", "int8", "the article"), with_article)


def classes_table(model: str) -> str:
    """Precision, recall and F1 of each class on the test images."""
    rows = [(label, *(of_class(model, figure, label) for figure in ("precision", "recall", "f1"))) for label in FASHION]
    return table(("class", "precision", "recall", "F1"), rows)


def live_table() -> str:
    """What training for cameras costs and gains."""
    rows = [
        (f"`{name}`", *(accuracy(name, data) for data in ("fashion-mnist test", "photos val", "products val")))
        for model in CNNS
        for name in (f"{model}-{ARTICLES}", model)
    ]
    return table(("model", "Fashion-MNIST test", "photos", "products"), rows)


FIGURES = {
    "accuracy": accuracy,
    "agreement": lambda model: percent(card(model)["kept"]["agreement"]),
    "article": lambda model: percent(ARTICLES_ACCURACY[model]),
    "augmentation": lambda name: f"{getattr(ARTICLE_AUGMENTATION, name):g}",
    "augmentation %": lambda name: f"{100 * getattr(ARTICLE_AUGMENTATION, name):g} %",
    "augmented epochs": lambda: str(article("cnn1").augmented_epochs),
    "best": best,
    "bits": lambda dtype: str(8 * np.dtype(dtype).itemsize),
    "calibration": lambda model: f"{card(model)['calibration']['pictures']:,}",
    "channels": lambda model, layer: str(built(model)[layer][1][-1]),
    "class": of_class,
    "classes": lambda: str(len(FASHION)),
    "convolutions": convolutions,
    "download": lambda: f"{sum(source.size_bytes for source in SOURCES.values()) / 1e6:.0f}",
    "dropout epochs": lambda model: str(article(model).dropout_epochs),
    "epochs": lambda: str(
        sum((article("cnn1").epochs, article("cnn1").augmented_epochs, article("cnn1").final_epochs))
    ),
    "final epochs": lambda: str(article("cnn1").final_epochs),
    "guessing": lambda: f"{100 / len(FASHION):g} %",
    "hardest": hardest,
    "input": lambda model: times(network(model).input_shape[1:3]),
    "kernel": lambda model: times(built(model)["conv1"][0].kernel_size),
    "learned": lambda model: f"{card(model)['training']['parameters']:,}",
    "megabytes": megabytes,
    "minutes": minutes,
    "models": lambda: str(len(MODELS)),
    "none threshold": lambda model: f"{card(model)['contract']['none_threshold']:g}",
    "parameters": parameters,
    "per class": lambda model, label: f"{next(r['count'] for r in card(model)['classes'] if r['label'] == label):,}",
    "photos": lambda model: f"{sum(card(model)['pictures']['photos']['counts'].values()):,}",
    "places": lambda model, layer: times(built(model)[layer][1][:2]),
    "plain epochs": lambda: str(article("cnn1").epochs),
    "size": lambda model: f"{card(model)['size_bytes'] / 1e6:.2f}",
    "smoothing": lambda: f"{SMOOTHING_S:g}",
    "steps": lambda dtype: str(2 ** (8 * np.dtype(dtype).itemsize)),
    "taken": taken,
    "temperature": lambda model: f"{card(model)['contract']['temperature']:g}",
    "test": lambda: f"{TEST_FILE:,}",
    "threshold": lambda model: f"{card(model)['contract']['threshold']:g}",
    "train": lambda: f"{TRAINING_FILE - len(FASHION) * VALIDATION_PER_CLASS:,}",
    "trained": lambda model: percent(card(model)["float32_test_accuracy"]),
    "training file": lambda: f"{TRAINING_FILE:,}",
    "val": lambda: f"{len(FASHION) * VALIDATION_PER_CLASS:,}",
    "vgg trained": lambda: vgg_recorded(3),
}
TABLES = {"classes": classes_table, "layers": layers_table, "live": live_table, "models": models_table}


def figure(source: str) -> str:
    """The figure that a comment names: a kind, and in brackets what it is of. Raises KeyError for an unknown kind."""
    kind, arguments = parsed(source)
    return str(FIGURES[kind](*arguments))  # type: ignore[operator]


def made_table(source: str) -> str:
    """The table that a mark names."""
    kind, arguments = parsed(source)
    return str(TABLES[kind](*arguments))  # type: ignore[operator]


def parsed(source: str) -> tuple[str, list[str]]:
    """'class(cnn4, f1, Ankle boot)' -> ('class', ['cnn4', 'f1', 'Ankle boot'])."""
    found = re.fullmatch(r"([\w %]+?)(?:\(([^()]*)\))?", source.strip())
    if found is None:
        raise KeyError(source)
    return found[1], [part.strip() for part in (found[2] or "").split(",") if part.strip()]
