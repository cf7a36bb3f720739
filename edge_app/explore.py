"""Where a picture lies among the known garments: pure functions on features, in numpy, far below 1 ms a frame."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_app.points import Points, unit
from edge_app.taught import Lessons

Float32 = npt.NDArray[np.float32]

NEAREST = 5
Axis = tuple[str, str] | None  # between two labels; None: the principal axes


@dataclass(frozen=True, eq=False)
class Plane:
    """A view of the features: coordinates are unit(features) @ axes.T - origin; float32 (2, F) and (2,)."""

    axes: Float32
    origin: Float32

    def place(self, features: Float32) -> Float32:
        """Features float32 (..., F) -> coordinates float32 (..., 2)."""
        return np.asarray(unit(features) @ self.axes.T - self.origin, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Map:
    """What is shown: ``labels`` of N points, their ``features`` float32 (N, F) of unit length, and the plane."""

    labels: tuple[str, ...]
    features: Float32
    plane: Plane

    @property
    def coordinates(self) -> Float32:
        """Of the points, float32 (N, 2)."""
        return self.plane.place(self.features)

    def nearest(self, features: Float32) -> list[tuple[str, float]]:
        """Features float32 (F,) -> label and cosine similarity (-1..1) of the NEAREST points, the nearest first."""
        similarities = np.einsum("nf,f->n", self.features, unit(features))  # faster than BLAS where threads are busy
        nearest = np.argsort(-similarities, kind="stable")[:NEAREST]
        return [(self.labels[index], float(similarities[index])) for index in nearest]


def make_map(points: Points, lessons: Lessons | None, between: Axis) -> Map:
    """A model's points and what it was taught, by principal axes, or ``between`` two labels.

    The axis between two labels runs across, from 0, the mean of the first, to 1, that of the second; the first
    principal axis, as far as it is perpendicular to that, runs up. Raises ValueError if a label has no points, or both
    are one.
    """
    labels = (*points.labels, *(lessons.names if lessons else ()))
    features = np.concatenate([points.features, unit(lessons.features)]) if lessons else points.features
    if between is None:
        return Map(labels, features, Plane(points.axes, points.axes @ points.centre))
    shown = [np.array([label == name for label in labels]) for name in between]
    if between[0] == between[1] or not all(mask.any() for mask in shown):
        raise ValueError(f"there is no axis between {between[0]!r} and {between[1]!r}")
    start, end = (features[mask].mean(axis=0) for mask in shown)
    across = (end - start) / max(float((end - start) @ (end - start)), 1e-9)
    direction = unit(end - start)
    up = unit(points.axes[0] - (points.axes[0] @ direction) * direction)
    return Map(labels, features, Plane(np.stack([across, up]), np.array([across @ start, up @ points.centre])))
