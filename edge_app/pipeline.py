"""A frame's way, top to bottom: preprocess -> classifier -> decide -> view.

The camera's end is edge_app.cameras (or a browser); where the view ends up is the page's affair.
"""

import threading
import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier
from edge_app.decide import Decision, Memory, probabilities, steady
from edge_app.page.view import View, view
from edge_app.preprocess import frame_to_input
from edge_app.region import WHOLE, Region, crop

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Wish:
    """What a watcher has chosen: the model, the region to look at, and the threshold (0..1; None: the contract's)."""

    model: str
    region: Region = WHOLE
    threshold: float | None = None


@dataclass(frozen=True)
class Latency:
    """How long each stage took, in milliseconds; `invoke_ms` is the classifier."""

    preprocess_ms: float
    invoke_ms: float
    decide_ms: float

    @property
    def total_ms(self) -> float:
        return self.preprocess_ms + self.invoke_ms + self.decide_ms


@dataclass(frozen=True)
class Answer:
    """What became of one frame; ``pixels`` uint8 (H, W, C) is what the model saw of it."""

    model: str
    pixels: UInt8
    decision: Decision
    view: View
    latency: Latency


class Pipeline:
    """One watcher's frames through one model. Remembers the frames before: the answer is steady over time."""

    def __init__(self, classifier: Classifier, wish: Wish) -> None:
        self.wish = wish
        self._classifier = classifier
        contract = classifier.contract
        self._contract = contract if wish.threshold is None else replace(contract, threshold=wish.threshold)
        self._memory: Memory | None = None

    def answer(self, frame_rgb: UInt8, captured_s: float) -> Answer:
        """A frame uint8 (H, W, 3), RGB, and when it was captured (time.monotonic) -> Answer."""
        contract = self._contract
        started = time.perf_counter()
        pixels = frame_to_input(crop(frame_rgb, self.wish.region), contract.input)
        framed = time.perf_counter()
        logits = self._classifier.logits(pixels[np.newaxis])[0]
        invoked = time.perf_counter()
        self._memory, decision = steady(self._memory, probabilities(logits, contract.temperature), captured_s, contract)
        shown = view(decision)
        decided = time.perf_counter()
        latency = Latency(1e3 * (framed - started), 1e3 * (invoked - framed), 1e3 * (decided - invoked))
        return Answer(contract.name, pixels, decision, shown, latency)


class Classifiers:
    """Classifiers by name, each loaded when it is first asked for, once, and shared by all threads."""

    def __init__(self) -> None:
        self._loaded: dict[str, Classifier] = {}
        self._loading = threading.Lock()

    def get(self, model: str) -> Classifier:
        """Raises what `Classifier.load` raises."""
        with self._loading:
            if model not in self._loaded:
                self._loaded[model] = Classifier.load(model)
            return self._loaded[model]
