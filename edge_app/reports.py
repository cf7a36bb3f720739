"""What the device tells of its camera without a page: an object for each change of what it sees."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from edge_app.decide import Decision
from edge_app.errors import CameraError
from edge_app.pipeline import Wish
from edge_app.watch import GaveUp, Watch

WATCHER = "reports"  # among a watch's watchers; a page's visitors are random
PATIENCE_S = 10.0  # for a picture from a camera that is not in trouble: it may only now be opened
RETRY_S = 0.5

Report = dict[str, object]


def of_decision(taken: datetime, model: str, decision: Decision) -> Report:
    """`time` (ISO 8601), when the picture was taken; `model`, `label`, `confidence` and `none` as in Decision."""
    return {
        "time": taken.isoformat(timespec="milliseconds"),
        "model": model,
        "label": decision.label,
        "confidence": round(decision.confidence, 4),
        "none": None if decision.none is None else round(decision.none, 4),
    }


def of_trouble(noticed: datetime, words: str) -> Report:
    """`time` (ISO 8601) and `error`: the camera gives no pictures, and why."""
    return {"time": noticed.isoformat(timespec="milliseconds"), "error": words}


def follow(
    watch: Watch, wish: Wish, tell: Callable[[Report], None], seen: Callable[[], None], patience_s: float = PATIENCE_S
) -> NoReturn:
    """Tells every change of label, and every trouble of the camera once, until it is given up.

    `seen` is called for every answer. Raises GaveUp, after telling of it, and what `Classifier.load` raises.
    """
    number, told = 0, ""
    while True:
        try:
            sight = watch.look(WATCHER, wish, number, patience_s)
        except CameraError as error:
            if str(error) != told:
                told = str(error)
                tell(of_trouble(datetime.now(UTC), told))
            if isinstance(error, GaveUp):
                raise
            time.sleep(RETRY_S)
            continue
        seen()
        number, decision = sight.number, sight.answers[wish].decision
        if decision.label != told:
            told = decision.label
            age = timedelta(seconds=time.monotonic() - sight.captured_s)
            tell(of_decision(datetime.now(UTC) - age, wish.model, decision))
