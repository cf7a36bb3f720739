"""The part of a picture that is looked at."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Region:
    """A part of a picture, as shares (0..1) of its width and height, from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


WHOLE = Region(0.0, 0.0, 1.0, 1.0)


def crop(frame_rgb: UInt8, region: Region) -> UInt8:
    """The region of a picture uint8 (H, W, C) -> uint8 (h, w, C), a view; at least one pixel."""
    height, width = frame_rgb.shape[:2]
    left, right = _span(region.left, region.width, width)
    top, bottom = _span(region.top, region.height, height)
    return frame_rgb[top:bottom, left:right]


def _span(start: float, length: float, pixels: int) -> tuple[int, int]:
    """Shares -> the first pixel and the one after the last, within 0..pixels."""
    first = min(max(round(start * pixels), 0), pixels - 1)
    return first, min(max(round((start + length) * pixels), first + 1), pixels)
