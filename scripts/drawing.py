"""A sheet of paper on which garments are drawn: pieces of cloth and leather, seams, stitches, folds, buttons.

Everything is drawn three times as large and shrunk. Coordinates are pixels of the finished picture. A point is (x, y),
or (x, y, CORNER) where an outline has a corner; through the others it runs smoothly.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SIDE = 480
ZOOM = 3
MIDDLE = SIDE / 2
CORNER = 1.0
Point = tuple[float, ...]
Colour = tuple[int, int, int]  # RGB


def curve(points: Sequence[Point], closed: bool) -> Array:
    """Points -> an outline, int32 (N, 2) in the enlarged picture: Hermite curves with Catmull-Rom tangents."""
    places = np.array([point[:2] for point in points], float)
    corner = [len(point) == 3 for point in points]
    count = len(points)
    tangents = (np.roll(places, -1, 0) - np.roll(places, 1, 0)) / 2
    for i in range(count):
        if corner[i] or (not closed and i in (0, count - 1)):
            tangents[i] = 0
    t = np.linspace(0, 1, 24, endpoint=False)[:, np.newaxis]
    pieces = []
    for i in range(count if closed else count - 1):
        j = (i + 1) % count
        start, end = (2 * t**3 - 3 * t**2 + 1) * places[i], (3 * t**2 - 2 * t**3) * places[j]
        pieces.append(start + end + (t**3 - 2 * t**2 + t) * tangents[i] + (t**3 - t**2) * tangents[j])
    if not closed:
        pieces.append(places[-1:])
    return np.asarray(np.rint(np.concatenate(pieces) * ZOOM), dtype=np.int32)


def flipped(points: Sequence[Point]) -> list[Point]:
    """The points' mirror image, left for right."""
    return [(SIDE - point[0], *point[1:]) for point in points]


def mirrored(half: Sequence[Point]) -> list[Point]:
    """The left half of a symmetrical outline, from top to bottom -> the whole outline."""
    return [*half, *(point for point in flipped(half)[::-1] if point[0] != MIDDLE)]


def darker(colour: Colour, share: float) -> Colour:
    """The colour times `share`: darker below 1, lighter above."""
    red, green, blue = (int(np.clip(channel * share, 0, 255)) for channel in colour)
    return red, green, blue


class Drawing:
    """A white sheet on which pieces of cloth and leather are laid, one over the other."""

    def __init__(self) -> None:
        self.sheet = np.full((SIDE * ZOOM, SIDE * ZOOM, 3), 255, np.float32)
        rows, columns = np.mgrid[: SIDE * ZOOM, : SIDE * ZOOM] / (SIDE * ZOOM) - 0.5
        self._falloff = (0.12 * (rows + columns)).astype(np.float32)

    def piece(self, points: Sequence[Point], colour: Colour, depth: float = 0.3, line: float = 1.3) -> Array:
        """Fills an outline; its rim is darker by `depth`, light falls from the upper left. Returns its mask."""
        outline = curve(points, closed=True)
        mask = np.zeros(self.sheet.shape[:2], np.uint8)
        cv2.fillPoly(mask, [outline], 1)
        inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5) / ZOOM
        light = 1 - depth * np.exp(-inside / 16) - self._falloff
        self.sheet = np.where(
            mask[..., np.newaxis] > 0, light[..., np.newaxis] * np.array(colour, np.float32), self.sheet
        )
        self._stroke(outline, darker(colour, 0.45), line, closed=True)
        return mask

    def line(self, points: Sequence[Point], colour: Colour, width: float = 1.5) -> None:
        self._stroke(curve(points, closed=False), colour, width, closed=False)

    def stitches(self, points: Sequence[Point], colour: Colour, width: float = 1.2) -> None:
        """A dashed line."""
        track = curve(points, closed=False).astype(float)
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(track, axis=0), axis=1))])
        for start in np.arange(0, along[-1] - 4 * ZOOM, 7 * ZOOM):
            ends = [[np.interp(s, along, track[:, axis]) for axis in (0, 1)] for s in (start, start + 4 * ZOOM)]
            self._stroke(np.rint(ends).astype(np.int32), colour, width, closed=False)

    def fold(self, points: Sequence[Point], mask: Array, strength: float = 0.16, width: float = 9) -> None:
        """A soft crease, darker than the cloth (lighter where `strength` is negative), inside `mask` only."""
        crease = np.zeros(self.sheet.shape[:2], np.float32)
        track = curve(points, closed=False)
        cv2.polylines(crease, [track], False, 1.0, round(width * ZOOM))
        crease = cv2.GaussianBlur(crease, (0, 0), width * ZOOM * 0.55) * mask
        self.sheet *= 1 - strength * crease[..., np.newaxis]

    def dots(self, centres: Sequence[tuple[float, float]], colour: Colour, radius: float = 5) -> None:
        """Buttons, eyelets, rivets."""
        for x, y in centres:
            centre = (round(x * ZOOM), round(y * ZOOM))
            cv2.circle(self.sheet, centre, round(radius * ZOOM), darker(colour, 0.45), -1, cv2.LINE_AA)
            cv2.circle(self.sheet, centre, round((radius - 1.2) * ZOOM), colour, -1, cv2.LINE_AA)
            glint = (round((x - radius / 4) * ZOOM), round((y - radius / 4) * ZOOM))
            cv2.circle(self.sheet, glint, round(radius * ZOOM / 4), darker(colour, 1.35), -1, cv2.LINE_AA)

    def _stroke(self, track: Array, colour: Colour, width: float, closed: bool) -> None:
        cv2.polylines(self.sheet, [track], closed, colour, max(1, round(width * ZOOM)), cv2.LINE_AA)

    def finished(self) -> Array:
        """uint8 (480, 480, 3) RGB."""
        small = cv2.resize(self.sheet, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(np.rint(small.clip(0, 255)), dtype=np.uint8)


def both(draw: Callable[[Sequence[Point]], object], points: Sequence[Point]) -> None:
    """Draws something on the left and its mirror image on the right."""
    draw(points)
    draw(flipped(points))
