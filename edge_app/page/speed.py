"""How fast each installed model is on this machine."""

import statistics
import threading
import time

import numpy as np

from edge_app.classifier import Classifier

BUDGET_S = 0.05
MAX_RUNS = 20


class Speeds:
    """Times the models when it is first asked, one after the other, and keeps the result."""

    def __init__(self, models: list[str]) -> None:
        self._models = models
        self._ms: dict[str, float] | None = None
        self._timing = threading.Lock()

    def all_ms(self) -> dict[str, float]:
        """Milliseconds of one inference, by model. Raises what `Classifier.load` raises."""
        with self._timing:
            if self._ms is None:
                self._ms = {model: invoke_ms(Classifier.load(model)) for model in self._models}
            return self._ms


def invoke_ms(classifier: Classifier) -> float:
    """The median of one inference's milliseconds: at least one after a warm-up, more while the time allows."""
    pixels = np.zeros((1, *classifier.contract.input.shape), dtype=np.uint8)
    classifier.logits(pixels)
    times_ms: list[float] = []
    while not times_ms or (sum(times_ms) < 1e3 * BUDGET_S and len(times_ms) < MAX_RUNS):
        started = time.perf_counter()
        classifier.logits(pixels)
        times_ms.append(1e3 * (time.perf_counter() - started))
    return statistics.median(times_ms)
