"""How many frames a second are looked at: all while something moves, two when nothing does. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_app.pixels import resize, to_grey

UInt8 = npt.NDArray[np.uint8]

ROWS, COLUMNS = 12, 16  # a cell is 40x40 pixels of 640x480: a sensor's noise averages out
MOVED = 8  # steps of 0..255 by which one cell has to change
REST_S = 1.5  # after so long without movement; an answer has settled by then
REST_INTERVAL_S = 0.5


@dataclass(frozen=True)
class Pace:
    """What is remembered of the frames before. Times in seconds.

    ``seen`` is a small grey picture uint8 (ROWS, COLUMNS) of the one taken at ``seen_s``, to compare with: up to half
    a second old, so that slow movement is seen, too. ``moved_s`` is when something last moved, ``due_s`` when the last
    frame that was looked at was due.
    """

    seen: UInt8
    seen_s: float
    moved_s: float
    due_s: float


def small_grey(frame_rgb: UInt8) -> UInt8:
    """frame_rgb uint8 (H, W, 3) -> the mean grey of each cell, uint8 (ROWS, COLUMNS)."""
    return to_grey(resize(frame_rgb, ROWS, COLUMNS))[..., 0]


def has_moved(before: UInt8, now: UInt8) -> bool:
    """Whether any cell of two small grey pictures, uint8 (ROWS, COLUMNS), differs by MOVED or more."""
    return bool(np.abs(before.astype(np.int16) - now).max() >= MOVED)


def next_pace(pace: Pace | None, grey: UInt8, captured_s: float, min_interval_s: float) -> tuple[Pace, bool]:
    """A frame's small grey picture and when it was captured -> what to remember, and whether to look at the frame.

    Frames that are looked at are `min_interval_s` apart on average, or REST_INTERVAL_S if that is more and nothing
    has moved for REST_S. The first frame in which something moves again is not kept waiting longer than that minimum.
    """
    if pace is None:
        return Pace(grey, captured_s, captured_s, captured_s), True
    moved_s = captured_s if has_moved(pace.seen, grey) else pace.moved_s
    is_stale = moved_s == captured_s or captured_s - pace.seen_s >= REST_INTERVAL_S
    seen, seen_s = (grey, captured_s) if is_stale else (pace.seen, pace.seen_s)
    rests = captured_s - moved_s >= REST_S
    interval_s = max(min_interval_s, REST_INTERVAL_S) if rests else min_interval_s
    due_s = pace.due_s + interval_s
    if captured_s < due_s:
        return Pace(seen, seen_s, moved_s, pace.due_s), False
    is_late = captured_s - due_s >= interval_s  # then the count begins anew: nothing is made up for
    return Pace(seen, seen_s, moved_s, captured_s if is_late else due_s), True
