"""All installed models side by side: ``python -m train compare`` writes the tables and pictures of the documents.

With runs, ``python -m train compare RUN RUN``, it is those that are set side by side (train/compare_runs.py).
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.bench import conditions
from edge_app.classifier import Classifier
from edge_app.contract import Contract
from edge_app.decide import probabilities
from edge_app.labels import FASHION
from edge_app.models import assets_dir, contracts
from edge_app.preprocess import frame_to_input, images_to_input
from train.comparison_plots import plot_confusions, plot_mistakes, plot_models
from train.data import load_fashion_mnist
from train.documents import with_block
from train.files import write_atomically
from train.judge import Judgement, judge
from train.metrics import Int64, accuracy, confusion
from train.paths import warn_of_others
from train.pictures import PHOTOS, PRODUCTS, Collection, Layout, find_collections, rows_of
from train.quiet import load_backend

UInt8 = npt.NDArray[np.uint8]

ROOT = Path(__file__).parents[1]
SHEETS = Path("runs/compare")
ARTICLE = {"cnn1": 0.9229, "cnn3": 0.9117, "cnn4": 0.9352, "vgg19": 0.7664}  # test accuracy, the CNNs' augmented
COMMAND = "python -m train compare"
WORST = 40
ROUNDS, WARM_UP = 500, 20  # inferences of each model, and how many of them do not count
NOISY = ("Pullover", "Dress", "Coat")  # few product pictures, many with a wrong label


@dataclass(frozen=True)
class Mistake:
    """A garment, frame_rgb uint8 (H, W, 3), that got a wrong name with this probability."""

    frame_rgb: UInt8
    truth: str
    named: str
    probability: float


@dataclass(frozen=True)
class Compared:
    """One model: its median time for an inference, its figures, and the mistakes it was surest of."""

    contract: Contract
    conditions: str
    size_bytes: int
    invoke_ms: float
    test: float
    matrix: Int64
    pictures: dict[str, Judgement]
    mistakes: list[Mistake]

    @property
    def worst_product(self) -> float:
        """Share right of the product class it does worst with, those that are few and noisy aside."""
        return min(share for name, share in self.pictures[PRODUCTS.name].classes.items() if name not in NOISY)

    @property
    def article(self) -> str:
        """What the article reached with this network; it had none for camera frames."""
        return "-" if self.contract.variant == "live" else f"{ARTICLE[self.contract.architecture]:.2%}"


def invoke_times_ms(classifiers: list[Classifier]) -> list[float]:
    """The median time of an inference of each, in milliseconds, all taking turns on the same noisy machine."""
    pixels = [np.zeros((1, *classifier.contract.input.shape), np.uint8) for classifier in classifiers]
    times_ms = np.empty((WARM_UP + ROUNDS, len(classifiers)))
    for row in times_ms:
        for column, classifier in enumerate(classifiers):
            start = time.perf_counter()
            classifier.logits(pixels[column])
            row[column] = 1000 * (time.perf_counter() - start)
    return [float(value) for value in np.median(times_ms[WARM_UP:], axis=0)]


def measure(
    classifier: Classifier, invoke_ms: float, test: tuple[UInt8, UInt8], collections: dict[Layout, Path]
) -> Compared:
    """Everything about one model, through the app's classifier; ``test`` is images (N, 28, 28) and labels (N,)."""
    contract = classifier.contract
    images, truth = test
    logits = classifier.logits(images_to_input(images, contract.input.shape))
    pictures, mistakes = {}, []
    for layout, path in collections.items():
        pictures[layout.name], found = look(classifier, path, layout)
        mistakes += found
    return Compared(
        contract=contract,
        conditions=conditions(classifier),
        size_bytes=(assets_dir() / "models" / f"{contract.name}.tflite").stat().st_size,
        invoke_ms=invoke_ms,
        test=accuracy(truth, logits),
        matrix=confusion(truth, logits.argmax(axis=-1), len(contract.labels)),
        pictures=pictures,
        mistakes=sorted(mistakes, key=lambda mistake: -mistake.probability)[:WORST],
    )


def look(classifier: Classifier, path: Path, layout: Layout) -> tuple[Judgement, list[Mistake]]:
    """A collection's validation pictures as the app sees them: figures, and all garments that got a wrong name."""
    labels, spec = classifier.contract.labels, classifier.contract.input
    logits, mistakes = [], []
    with Collection(path, layout) as collection:
        rows = [row for _, row in rows_of([collection], "val")]
        for row in rows:
            frame_rgb = collection.frame(row)
            logits.append(classifier.logits(frame_to_input(frame_rgb, spec)[np.newaxis])[0])
            probs = probabilities(logits[-1], classifier.contract.temperature)
            named = labels[int(probs.argmax())]
            if row.is_garment and named not in row.classes:
                mistakes.append(Mistake(frame_rgb, " or ".join(row.classes), named, float(probs.max())))
    return judge(labels, rows, np.stack(logits)), mistakes


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def short_table(models: list[Compared]) -> str:
    """What the README shows."""
    rows = [
        (
            *(m.contract.name, f"{m.test:.2%}", m.article),
            *(f"{m.pictures[PHOTOS.name].right:.1%}", f"{m.size_bytes / 1e6:.2f} MB"),
        )
        for m in models
    ]
    return table(("model", "Fashion-MNIST test", "in the article", "photos by other people", "size"), rows)


def long_tables(models: list[Compared]) -> str:
    """What docs/results.md shows: one row a model, then the real pictures class by class."""
    rows = [
        (
            *(m.contract.name, f"{m.size_bytes / 1e6:.2f} MB", f"{m.invoke_ms:.2f} ms", f"{m.test:.2%}"),
            m.article,
            *(f"{found.right:.1%}" for found in m.pictures.values()),
            f"{m.worst_product:.1%}",
            "-" if (auroc := m.pictures[PHOTOS.name].auroc) is None else f"{auroc:.3f}",
        )
        for m in models
    ]
    columns = ("model", "size", "inference", "Fashion-MNIST test", "article", "photos val", "products val")
    parts = [table((*columns, "worst product class", "AUROC of none"), rows)]
    for name in models[0].pictures:
        classes = sorted(models[0].pictures[name].classes)
        found = [m.pictures[name] for m in models]
        by_class = [(c, str(found[0].counts[c]), *(f"{f.classes[c]:.0%}" for f in found)) for c in classes]
        balanced = ("mean of the classes", "", *(f"{f.balanced:.0%}" for f in found))
        parts.append(table((f"{name} val", "pictures", *(m.contract.name for m in models)), [*by_class, balanced]))
    parts.append(
        f"Inference: median of {ROUNDS}, the models taking turns, {models[0].conditions.splitlines()[1]}; threads: as "
        "the app chooses them."
    )
    return "\n\n".join(parts)


def main(argv: list[str]) -> int:
    """Measures all models and writes README.md's table, docs/results.md's, docs/images and the sheets of mistakes."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("runs", metavar="RUN", type=Path, nargs="*", help="runs' folders: a page about these, instead")
    parser.add_argument(
        "--data", metavar="DIR", help="folder with fashion-mnist/, photos and products ($EDGE_APP_DATA)"
    )
    args = parser.parse_args(argv)
    if args.runs:
        load_backend()
        from train.compare_runs import compare_runs

        print(f"{compare_runs(args.runs, SHEETS)}: a page that can be sent around")
        return 0
    collections = find_collections(args.data)
    test = load_fashion_mnist(args.data, 1).test
    installed = sorted(contracts(), key=lambda contract: (contract.variant != "live", contract.name))
    classifiers = [Classifier.load(contract.name) for contract in installed]
    warn_of_others(installed, collections)
    models = []
    for classifier, invoke_ms in zip(classifiers, invoke_times_ms(classifiers), strict=True):
        models.append(measure(classifier, invoke_ms, (test.images, test.labels), collections))
        print(short_table(models[-1:]).splitlines()[-1], flush=True)
        plot_mistakes(models[-1].mistakes, models[-1].contract.name, SHEETS / f"{models[-1].contract.name}.png")
    plot_models(models, ROOT / "docs" / "images" / "models.png")
    plot_confusions(
        [(m.contract.name, m.matrix[:10, :10]) for m in models], FASHION, ROOT / "docs/images/confusions.png"
    )
    for page, text in ((ROOT / "README.md", short_table(models)), (ROOT / "docs/results.md", long_tables(models))):
        content = with_block(page.read_text(encoding="utf-8"), COMMAND, text)
        write_atomically(page, partial(Path.write_text, data=content, encoding="utf-8"))
    print(f"tables in README.md and docs/results.md, pictures in docs/images/, worst mistakes in {SHEETS}/")
    return 0
