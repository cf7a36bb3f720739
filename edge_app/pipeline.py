"""A frame's way, top to bottom: preprocess -> classifier -> decide -> view.

The camera's end is edge_app.cameras (or a browser); where the view ends up is the page's affair.
"""

import logging
import threading
import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier, Outputs
from edge_app.contract import Contract
from edge_app.decide import Decision, Memory, probabilities, steady
from edge_app.errors import LessonError, PointsError
from edge_app.lessons import learned, read_lessons
from edge_app.occlusion import highlighted, occlusion_map
from edge_app.page.view import View, view
from edge_app.points import Points, read_points
from edge_app.preprocess import frame_to_input
from edge_app.region import WHOLE, Region, crop
from edge_app.taught import Head, with_names, with_taught

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Wish:
    """What a watcher has chosen: the model, the region to look at, and the threshold (0..1; None: the contract's)."""

    model: str
    region: Region = WHOLE
    threshold: float | None = None


@dataclass(frozen=True)
class Look:
    """What a model sees of a frame, uint8 (H, W, C), and its outputs, N being 1; how long both took, in ms, with the
    wait for a turn at the model, at which others may be."""

    pixels: UInt8
    outputs: Outputs
    preprocess_ms: float
    invoke_ms: float


def look(classifier: Classifier, frame_rgb: UInt8, region: Region) -> Look:
    """A frame uint8 (H, W, 3), RGB -> what a model makes of its region."""
    started = time.perf_counter()
    pixels = frame_to_input(crop(frame_rgb, region), classifier.contract.input)
    framed = time.perf_counter()
    outputs = classifier.infer(pixels[np.newaxis])
    return Look(pixels, outputs, 1e3 * (framed - started), 1e3 * (time.perf_counter() - framed))


@dataclass(frozen=True)
class Latency:
    """How long each stage took, in milliseconds; `invoke_ms` is the classifier, and the wait for a turn at it."""

    preprocess_ms: float
    invoke_ms: float
    decide_ms: float

    @property
    def total_ms(self) -> float:
        return self.preprocess_ms + self.invoke_ms + self.decide_ms


@dataclass(frozen=True)
class Answer:
    """What became of one frame; ``pixels`` uint8 (H, W, C) is what the model saw of it, ``features`` float32 (F,) what
    it made of that."""

    model: str
    pixels: UInt8
    features: Float32
    decision: Decision
    view: View
    latency: Latency


class Pipeline:
    """One watcher's frames through one model. Remembers the frames before: the answer is steady over time."""

    def __init__(self, classifier: Classifier, wish: Wish) -> None:
        self.wish = wish
        self._classifier = classifier
        self._take(classifier.head)

    def _take(self, head: Head | None) -> None:
        """What is taught while somebody looks counts from the next frame on."""
        contract = self._classifier.contract
        wished = contract if self.wish.threshold is None else replace(contract, threshold=self.wish.threshold)
        self._head = head
        self._contract: Contract = with_names(wished, head)
        self._memory: Memory | None = None

    def answer(self, seen: Look, captured_s: float) -> Answer:
        """What was seen of the wished region, and when it was captured (time.monotonic) -> Answer."""
        if self._classifier.head is not self._head:
            self._take(self._classifier.head)
        contract = self._contract
        started = time.perf_counter()
        probs = label_probabilities(seen.outputs, contract, self._head)[0]
        self._memory, decision = steady(self._memory, probs, captured_s, contract)
        shown = view(decision)
        latency = Latency(seen.preprocess_ms, seen.invoke_ms, 1e3 * (time.perf_counter() - started))
        return Answer(contract.name, seen.pixels, seen.outputs.features[0], decision, shown, latency)


def label_probabilities(outputs: Outputs, contract: Contract, head: Head | None) -> Float32:
    """N answers of a model -> probabilities float32 (N, labels), of its own and the taught labels of `contract`."""
    probs = probabilities(outputs.logits, contract.temperature)
    return probs if head is None else with_taught(probs, outputs.features, head, contract)


def what_mattered(classifier: Classifier, answer: Answer) -> UInt8:
    """What the model saw of a frame, with the parts that its likeliest label rests on: RGB, uint8 (S, S, 3)."""
    head = classifier.head
    contract = with_names(classifier.contract, head)

    def all_labels(pixels: UInt8) -> Float32:
        return label_probabilities(classifier.infer(pixels), contract, head)

    best = int(all_labels(answer.pixels[np.newaxis])[0].argmax())
    return highlighted(answer.pixels, occlusion_map(lambda pixels: all_labels(pixels)[:, best], answer.pixels))


class Classifiers:
    """Classifiers by name, each loaded when it is first asked for, once, and shared by all threads.

    They know what they were taught on this device. Where that cannot be read, it is logged, and they do without.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, Classifier] = {}
        self._points: dict[str, Points] = {}
        self._loading = threading.Lock()

    def get(self, model: str) -> Classifier:
        """Raises what `Classifier.load` raises."""
        with self._loading:
            if model not in self._loaded:
                classifier = Classifier.load(model)
                classifier.head = self._taught_before(classifier.contract)
                self._loaded[model] = classifier
            return self._loaded[model]

    def points(self, contract: Contract) -> Points:
        """A model's points, read once. Raises PointsError."""
        if contract.name not in self._points:
            self._points[contract.name] = read_points(contract)
        return self._points[contract.name]

    def _taught_before(self, contract: Contract) -> Head | None:
        try:
            lessons = read_lessons(contract)
            return learned(lessons, self.points(contract), contract) if lessons else None
        except (LessonError, PointsError) as error:
            logging.getLogger(__name__).warning("%s", error)
            return None
