"""What the device tells of its camera without a page: an object for each change of what it sees."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from edge_app.cameras.checked import Checked
from edge_app.cameras.opening import open_camera
from edge_app.decide import Decision
from edge_app.errors import BlankPicture, CameraError
from edge_app.pipeline import Wish
from edge_app.watch import GaveUp, NotYet, Watch

WATCHER = "reports"  # among a watch's watchers; a page's visitors are random
PATIENCE_S = 10.0  # for a picture from a camera that is not in trouble: it may only now be opened
RETRY_S = 0.5
AGAIN_S = 60.0  # until a camera that was given up is tried anew
STOP_TIMEOUT_S = 2.0
SILENT_S = 30.0

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


def try_camera(camera: str, publish: Callable[[Report], None]) -> None:
    """Opens and closes what `open_camera` takes, so that a wrong path is told at once and not tried again and again.

    Of a file or folder a picture is read, too; a live camera's first one may take long.
    Raises CameraError, which is published, too: what is retained would go on telling of an earlier picture.
    """
    try:
        with contextlib.closing(open_camera(camera)) as opened:
            if not isinstance(opened, Checked):
                opened.read()
    except CameraError as error:
        publish(of_trouble(datetime.now(UTC), str(error)))
        raise


@dataclass(frozen=True)
class Ears:
    """Who is told: `tell` of each report, `seen` of each answer, changed or not, and of blank pictures."""

    tell: Callable[[Report], None]
    seen: Callable[[], None]


class Seen:
    """Remembers when it was last called."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    def __call__(self) -> None:
        self._last_s = time.monotonic()

    def lately(self) -> bool:
        """Whether that, or its making, was within SILENT_S."""
        return time.monotonic() - self._last_s < SILENT_S


def follow(watch: Watch, wish: Wish, ears: Ears, stopping: threading.Event) -> None:
    """Tells every change of label, and every trouble of the camera once, until `stopping`.

    Raises GaveUp, after telling of it, and what `Classifier.load` raises.
    """
    number, told = 0, ""
    while not stopping.is_set():
        try:
            sight = watch.look(WATCHER, wish, number, PATIENCE_S)
        except NotYet:
            continue
        except CameraError as error:
            if str(error) != told:
                told = str(error)
                ears.tell(of_trouble(datetime.now(UTC), told))
            if isinstance(error, GaveUp):
                raise
            if isinstance(error, BlankPicture):
                ears.seen()
            stopping.wait(RETRY_S)
            continue
        ears.seen()
        number, decision = sight.number, sight.answers[wish].decision
        if decision.label != told:
            told = decision.label
            age = timedelta(seconds=time.monotonic() - sight.captured_s)
            ears.tell(of_decision(datetime.now(UTC) - age, wish.model, decision))


@contextlib.contextmanager
def following(watch: Watch, wish: Wish, ears: Ears) -> Iterator[None]:
    """`follow` in a thread of its own, beside the page; a camera that was given up is tried anew after AGAIN_S."""
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            with contextlib.suppress(GaveUp):
                follow(watch, wish, ears, stopping)
            stopping.wait(AGAIN_S)

    thread = threading.Thread(target=run, name="reports", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(STOP_TIMEOUT_S)
