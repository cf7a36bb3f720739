"""The pictures that are shown, as pixels and as a model's features, with what is known of each."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier, Outputs
from edge_app.contract import Contract, InputSpec
from edge_app.decide import UNSURE, decide, probabilities
from edge_app.errors import DataError
from edge_app.labels import FASHION
from edge_app.preprocess import frame_to_input, images_to_input
from train.data import Split
from train.pictures import PHOTOS, Collection
from train.progress import Progress

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

SIDE = 28
SMALL = InputSpec((SIDE, SIDE, 1), "grey", "whole")  # a photo as Fashion-MNIST's size shows it
BATCH = 250
LEAST = 20  # pictures, so that there are neighbours, and a t-SNE
# A photo's own label, not the class that it stands for.
LAYOUT = replace(PHOTOS, classes={label: (label,) for label in PHOTOS.classes})


@dataclass(frozen=True, eq=False)
class Pictures:
    """N pictures: ``pixels`` uint8 (N, 28, 28), grey; a model's ``features`` float32 (N, F); ``columns``, what is
    known of each, heading -> N words, the first being its class; ``names`` of their files, empty where they have none.
    """

    name: str
    title: str
    pixels: UInt8
    features: Float32
    columns: dict[str, tuple[str, ...]]
    names: tuple[str, ...] = ()

    @property
    def spaces(self) -> dict[str, Float32]:
        """The points: pixels 0..1 float32 (N, 784), and features float32 (N, F)."""
        flat = self.pixels.reshape(len(self.pixels), -1)
        return {"pixels": np.asarray(flat / np.float32(255), dtype=np.float32), "features": self.features}


def fashion(split: Split, classifier: Classifier, count: int) -> Pictures:
    """At most ``count`` validation images of Fashion-MNIST. Raises DataError if that is too few to be shown."""
    images, labels = split.images[:count], split.labels[:count]
    _require(len(images), "Fashion-MNIST")
    outputs = _infer(classifier, images_to_input(images, classifier.contract.input.shape), "Fashion-MNIST, features")
    classes = [FASHION[label] for label in labels]
    columns = {
        "class": tuple(classes),
        **_answers(outputs, [(name,) for name in classes], classifier.contract),
    }
    return Pictures("fashion-mnist", f"Fashion-MNIST ({len(images):,})", images, outputs.features, columns)


def photos(path: Path, classifier: Classifier, count: int, seed: int) -> Pictures:
    """At most ``count`` photos of a collection, drawn from ``seed`` where there are more.

    Raises DataError for a damaged collection, or if that is too few to be shown.
    """
    with Collection(path, LAYOUT) as collection:
        drawn = np.sort(np.random.default_rng(seed).permutation(len(collection.pictures))[:count])
        rows = [collection.pictures[index] for index in drawn]
        _require(len(rows), str(path))
        small, ready = [], []
        with Progress("photos", len(rows)) as progress:
            for number, row in enumerate(rows):
                frame_rgb = collection.frame(row)
                small.append(frame_to_input(frame_rgb, SMALL)[..., 0])
                ready.append(frame_to_input(frame_rgb, classifier.contract.input))
                progress.at(number + 1)
    outputs = _infer(classifier, np.stack(ready), "photos, features")
    labels = [row.classes[0] for row in rows]
    right = [PHOTOS.classes[label] for label in labels]
    columns = {
        "class": tuple(" or ".join(classes) for classes in right),
        "label": tuple(labels),
        **_answers(outputs, right, classifier.contract),
        "split": tuple(row.split for row in rows),
    }
    names = tuple(row.name for row in rows)
    return Pictures("photos", f"Photos ({len(rows):,})", np.stack(small), outputs.features, columns, names)


def commonest(words: tuple[str, ...]) -> list[str]:
    """The different words, the commonest first, equally common ones by name."""
    return [word for word, _ in sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))]


def _require(count: int, name: str) -> None:
    if count < LEAST:
        raise DataError(f"{name}: {count} pictures, at least {LEAST} are needed. Raise --count, or name other data.")


def _infer(classifier: Classifier, pixels: UInt8, name: str) -> Outputs:
    """As Classifier.infer, with a line that says how long it still takes."""
    found = []
    with Progress(name, len(pixels)) as progress:
        for start in range(0, len(pixels), BATCH):
            found.append(classifier.infer(pixels[start : start + BATCH]))
            progress.at(start + BATCH)
    return Outputs(*(np.concatenate([getattr(one, part) for one in found]) for part in ("logits", "features")))


def _answers(outputs: Outputs, right: list[tuple[str, ...]], contract: Contract) -> dict[str, tuple[str, ...]]:
    """The model's decision on each picture, and whether it is right."""
    probs = probabilities(outputs.logits, contract.temperature)
    answers = [decide(row, contract).label for row in probs]
    judged = [
        "right" if answer in classes else "unsure" if answer == UNSURE else "wrong"
        for answer, classes in zip(answers, right, strict=True)
    ]
    return {"answer": tuple(answers), "judged": tuple(judged)}
