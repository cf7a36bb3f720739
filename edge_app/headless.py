"""The app without a page: what the camera shows, as JSON on stdout and over MQTT."""

import contextlib
import json
import threading

from edge_app import systemd
from edge_app.cameras.opening import open_camera
from edge_app.errors import EdgeAppError
from edge_app.models import default_model
from edge_app.mqtt import publishing
from edge_app.pipeline import Classifiers, Wish
from edge_app.reports import Ears, Report, follow, try_camera
from edge_app.watch import Watch


def watch_camera(*, camera: str, model: str | None, max_fps: float | None, mqtt: str | None) -> int:
    """Reports each change of what the camera shows, until it is interrupted; returns the exit status.

    Raises CameraError if the camera cannot be opened, or has been given up; ModelNotFound, ContractError,
    RuntimeMissing or EdgeAppError before the first picture.
    """
    if camera == "browser":
        raise EdgeAppError("--no-page: without a page there is no browser's camera; choose another, as --camera auto")
    with contextlib.ExitStack() as ending:
        publish = ending.enter_context(publishing(mqtt))
        wish, classifiers = Wish(model or default_model()), Classifiers()
        classifiers.get(wish.model)
        try_camera(camera, publish)
        watch = Watch(lambda: open_camera(camera), classifiers, 1 / max_fps if max_fps else 0.0)
        ending.callback(watch.close)

        def tell(report: Report) -> None:
            print(json.dumps(report), flush=True)
            publish(report)

        systemd.tell("READY=1")
        with contextlib.suppress(KeyboardInterrupt):
            follow(watch, wish, Ears(tell, systemd.Watchdog().feed), threading.Event())
    return 0
