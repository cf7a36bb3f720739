"""Where points lie: principal axes, t-SNE, and numbers as the few bits that a page can carry. Pure functions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_app.errors import RunError

UInt8 = npt.NDArray[np.uint8]
Int16 = npt.NDArray[np.int16]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]

AXES = 3  # principal axes that are shown
BEFORE = 50  # principal components that t-SNE is given, as van der Maaten & Hinton did (JMLR 9, 2008, section 4)
MANY = 2500  # points: from here on interpolating (fft) in 2-D is faster than the tree of Barnes and Hut (bh)
PERPLEXITY = 30.0
EXAGGERATED, ITERATIONS = 250, 500  # of t-SNE, openTSNE's defaults
ANGLE = 0.8  # how coarsely t-SNE in 3-D sums up what is far away (van der Maaten, JMLR 15, 2014: theta)
NEAREST = 10
ROWS = 512  # points whose distances to all others are held at once


@dataclass(frozen=True, eq=False)
class Pca:
    """``axes`` float32 (K, D), orthonormal, each pointing where its largest number is positive; ``coordinates``
    float32 (N, K) of the points less their mean; ``shares`` float32 (K,) of the variance, 0..1, falling."""

    axes: Float32
    coordinates: Float32
    shares: Float32


def pca(points: Float32, count: int) -> Pca:
    """Principal axes of points float32 (N, D), at most ``count`` of them (K = min(count, D))."""
    centred = np.asarray(points, np.float64) - points.mean(axis=0, dtype=np.float64)
    variances, vectors = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(-variances, kind="stable")[:count]
    axes = vectors[:, order].T
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=-1)])[:, np.newaxis]
    shares = variances[order].clip(min=0) / max(float(variances.sum()), 1e-12)
    coordinates = centred @ axes.T
    return Pca(axes.astype(np.float32), coordinates.astype(np.float32), shares.astype(np.float32))


def tsne(points: Float32, dimensions: int, seed: int, report: Callable[[int], None]) -> Float32:
    """t-SNE of points float32 (N, D) -> float32 (N, dimensions), 2 or 3; from ``seed``, on one core.

    ``report`` is told how many of EXAGGERATED + ITERATIONS are done. Raises RunError without openTSNE.
    """
    try:
        from openTSNE import TSNE
    except ImportError as error:
        raise RunError(
            f"t-SNE needs openTSNE ({error}): pip install openTSNE. On arm64 Linux that needs a C compiler."
        ) from error

    done = 0

    def count(*_: object) -> None:
        nonlocal done
        done += 10
        report(done)

    embedding = TSNE(
        n_components=dimensions,
        perplexity=min(PERPLEXITY, (len(points) - 1) / 3),  # a third of the points at most, as openTSNE wants it
        early_exaggeration_iter=EXAGGERATED,
        n_iter=ITERATIONS,
        neighbors="exact",
        negative_gradient_method="fft" if dimensions == 2 and len(points) >= MANY else "bh",
        theta=ANGLE,
        n_jobs=1,
        random_state=seed,
        callbacks=count,
        callbacks_every_iters=10,
    ).fit(points)
    return np.asarray(embedding, dtype=np.float32)


def nearest(points: Float32, count: int = NEAREST) -> Int64:
    """The nearest other points of each by Euclidean distance: points float32 (N, D) -> indices (N, count), N > count.

    The nearest comes first; of equally near ones among them the one with the lower index.
    """
    squares = np.einsum("nd,nd->n", points, points)
    found = np.empty((len(points), count), np.int64)
    for start in range(0, len(points), ROWS):
        rows = np.arange(start, min(start + ROWS, len(points)))
        distances = squares - 2 * points[rows] @ points.T  # less the row's own square, which changes no order
        distances[np.arange(len(rows)), rows] = np.inf
        few = np.sort(np.argpartition(distances, count - 1, axis=-1)[:, :count], axis=-1)
        order = np.argsort(np.take_along_axis(distances, few, axis=-1), axis=-1, kind="stable")
        found[rows] = np.take_along_axis(few, order, axis=-1)
    return found


def agreement(points: Float32, codes: UInt8) -> float:
    """The mean share, 0..1, of a point's NEAREST others (fewer where there are fewer) with its code, uint8 (N,)."""
    others = nearest(points, min(NEAREST, len(points) - 1))
    return float(np.mean(codes[others] == codes[:, np.newaxis]))


@dataclass(frozen=True, eq=False)
class Packed:
    """Numbers in few bits: what is meant is ``low`` + ``step`` * ``codes`` (uint8 or int16, any shape)."""

    codes: UInt8 | Int16
    low: float
    step: float


def pack_points(points: Float32) -> Packed:
    """Points in uint8. Exact where they lie on a grid of at most 256 steps, as an int8 model's do; else rounded."""
    low, high = float(points.min()), float(points.max())
    values = np.unique(points)
    step = (high - low) / 255 or 1.0
    if 1 < len(values) <= 256:
        finest = float(np.diff(values).min())
        steps = (values - low) / finest
        if steps[-1] < 255.5 and np.abs(steps - np.rint(steps)).max() < 0.01:
            step = (high - low) / round(float(steps[-1]))
    return Packed(np.rint((points - low) / step).astype(np.uint8), low, step)


def pack_places(places: Float32) -> Packed:
    """Coordinates in int16, one step for all axes, so that a picture keeps its proportions."""
    step = float(np.abs(places).max()) / 32767 or 1.0
    return Packed(np.rint(places / step).astype(np.int16), 0.0, step)
