"""Cameras that show one picture, for tests."""

import time

import numpy as np

from edge_app.cameras.base import UInt8


class Still:
    """A camera that shows the same grey picture 50 times a second; counts its openings and closings."""

    opened = 0
    closed = 0

    def __init__(self) -> None:
        Still.opened += 1

    def read(self) -> UInt8:
        time.sleep(0.02)
        return np.full((480, 640, 3), 100, dtype=np.uint8)

    def close(self) -> None:
        Still.closed += 1


class Waking(Still):
    """A camera that shows the same, until something moves before it."""

    moves = False

    def read(self) -> UInt8:
        frame_rgb = super().read()
        if self.moves:
            frame_rgb[:, : 40 + round(400 * time.monotonic()) % 600] = 200
        return frame_rgb
