"""The app without a page: what the camera shows, as JSON on stdout."""

import json

from edge_app.cameras.opening import open_camera
from edge_app.errors import EdgeAppError
from edge_app.models import default_model
from edge_app.pipeline import Classifiers, Wish
from edge_app.reports import PATIENCE_S, Report, follow
from edge_app.watch import Watch


def watch_camera(*, camera: str, model: str | None, max_fps: float | None) -> int:
    """Prints an object for each change of what the camera shows, until it is interrupted; returns the exit status.

    Raises CameraError if the camera cannot be opened, or has been given up; ModelNotFound, ContractError or
    RuntimeMissing before the first picture.
    """
    if camera == "browser":
        raise EdgeAppError("--no-page: without a page there is no browser's camera; choose another, as --camera auto")
    wish, classifiers = Wish(model or default_model()), Classifiers()
    classifiers.get(wish.model)
    open_camera(camera).close()  # a wrong path is told at once, not tried again and again
    interval_s = 1 / max_fps if max_fps else 0.0
    watch = Watch(lambda: open_camera(camera), classifiers, interval_s)
    try:
        follow(watch, wish, print_report, seen=lambda: None, patience_s=PATIENCE_S + interval_s)
    except KeyboardInterrupt:
        return 0
    finally:
        watch.close()


def print_report(report: Report) -> None:
    """One line of JSON, at once."""
    print(json.dumps(report), flush=True)
