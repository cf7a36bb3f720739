"""Names a garment held up to a camera, live, on the device itself.

    from edge_app import Classifier
    decision = Classifier.load("cnn4").classify(frame_rgb)  # uint8 (H, W, 3), RGB

``Classifier`` and ``Decision`` are loaded when they are first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_app.classifier import Classifier
    from edge_app.decide import Decision

__all__ = ["Classifier", "Decision"]

_HOMES = {"Classifier": "edge_app.classifier", "Decision": "edge_app.decide"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
