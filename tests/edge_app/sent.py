"""Pictures as the page's script sends them: JPEG in base64."""

import base64

import cv2
import numpy as np

from edge_app.models import assets_dir
from edge_app.pixels import UInt8


def sent(pixels: UInt8, kind: str = ".jpg") -> str:
    """uint8 (H, W) grey, or (H, W, 3) BGR -> a file of this kind in base64."""
    written, data = cv2.imencode(kind, pixels)
    assert written
    return base64.b64encode(data.tobytes()).decode("ascii")


def sent_drawing(name: str, shift: int = 0) -> str:
    """A drawing of the examples, moved to the right by some pixels."""
    drawing_bgr = cv2.imread(str(assets_dir() / "examples" / f"{name}.png"), cv2.IMREAD_COLOR)
    assert drawing_bgr is not None
    return sent(np.roll(np.asarray(drawing_bgr, dtype=np.uint8), shift, axis=1))
