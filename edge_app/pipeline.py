"""A frame's way, top to bottom: preprocess -> classifier -> decide -> view.

The camera's end is edge_app.cameras (or a browser); where the view ends up is the page's affair.
"""

import threading
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier
from edge_app.decide import Decision, decide, probabilities, smooth
from edge_app.page.view import View, view
from edge_app.preprocess import frame_to_input

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]


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
    """What became of one frame."""

    model: str
    decision: Decision
    view: View
    latency: Latency


class Pipeline:
    """One watcher's frames through one model. Remembers the last probabilities: the answer is smoothed over time."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._probs: Float32 | None = None
        self._captured_s = 0.0

    def answer(self, frame_rgb: UInt8, captured_s: float) -> Answer:
        """A frame uint8 (H, W, 3), RGB, and when it was captured (time.monotonic) -> Answer."""
        contract = self._classifier.contract
        started = time.perf_counter()
        pixels = frame_to_input(frame_rgb, contract.input)
        framed = time.perf_counter()
        logits = self._classifier.logits(pixels[np.newaxis])[0]
        invoked = time.perf_counter()
        probs = probabilities(logits, contract.temperature)
        self._probs = smooth(self._probs, probs, captured_s - self._captured_s)
        self._captured_s = captured_s
        decision = decide(self._probs, contract)
        shown = view(decision)
        decided = time.perf_counter()
        latency = Latency(1e3 * (framed - started), 1e3 * (invoked - framed), 1e3 * (decided - invoked))
        return Answer(contract.name, decision, shown, latency)


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
