"""Known garments as a model sees them: a few hundred points that travel with it, NAME.points.npz.

They are what a taught name is learned against (edge_app.taught), and the map on which the page shows the live picture
(edge_app.explore). They hold numbers, not pictures.
"""

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np
import numpy.typing as npt

from edge_app.contract import Contract
from edge_app.errors import PointsError
from edge_app.labels import NONE
from edge_app.models import assets_dir

Float32 = npt.NDArray[np.float32]

# What zipfile and numpy raise on a damaged .npz, and on damaged arrays in a whole one.
_ARCHIVE = (OSError, EOFError, LookupError, RuntimeError, zlib.error, zipfile.BadZipFile)
_ARRAYS = (ValueError, TypeError, AttributeError, MemoryError, OverflowError, SyntaxError, SystemError, TokenError)
DAMAGED = (*_ARCHIVE, *_ARRAYS)


@dataclass(frozen=True, eq=False)
class Points:
    """N pictures: ``labels``, what each shows; ``features`` float32 (N, F), of unit length; ``logits`` float32
    (N, classes). ``centre`` float32 (F,) and ``axes`` float32 (2, F) are the features' mean and principal axes."""

    labels: tuple[str, ...]
    features: Float32
    logits: Float32
    centre: Float32
    axes: Float32


def unit(features: Float32) -> Float32:
    """Features float32 (..., F) -> the same directions, of length 1; zeros stay zeros."""
    lengths = np.linalg.norm(features, axis=-1, keepdims=True)
    return np.asarray(features / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def points_path(contract: Contract) -> Path:
    """Where the points of an installed model are."""
    return assets_dir() / "models" / f"{contract.name}.points.npz"


def pack_points(points: Points, contract: Contract) -> bytes:
    """The content of a points file."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        sha256=np.array(contract.sha256),
        labels=np.array([contract.labels.index(label) for label in points.labels], dtype=np.uint8),
        features=points.features.astype(np.float16),
        logits=points.logits.astype(np.float16),
        centre=points.centre.astype(np.float32),
        axes=points.axes.astype(np.float32),
    )
    return file.getvalue()


def read_points(contract: Contract) -> Points:
    """Reads an installed model's points. Raises PointsError if there are none, or they are damaged or another's."""
    path = points_path(contract)
    again = f"Make it again: python -m train points --model {contract.name}"
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            if str(file["sha256"]) != contract.sha256:
                raise PointsError(f"{path.name}: made with another {contract.name}. {again}")
            features, logits = file["features"].astype(np.float32), file["logits"].astype(np.float32)
            centre, axes = file["centre"].astype(np.float32), file["axes"].astype(np.float32)
            labels = tuple(contract.labels[index] for index in file["labels"])
    except FileNotFoundError as error:
        raise PointsError(f"{path.name}: not there, and needed for this. {again}") from error
    except DAMAGED as error:
        raise PointsError(f"{path.name}: damaged ({error}). {again}") from error
    count, length = features.shape if features.ndim == 2 else (0, 0)
    shapes = {"labels": len(labels), "logits": logits.shape, "centre": centre.shape, "axes": axes.shape}
    fitting = {"labels": count, "logits": (count, len(contract.labels)), "centre": (length,), "axes": (2, length)}
    if shapes != fitting or not all(np.isfinite(array).all() for array in (features, logits, centre, axes)):
        raise PointsError(f"{path.name}: its parts do not fit together. {again}")
    if len({*labels} - {NONE}) < 2:  # a taught name is weighed by how the known garments differ
        raise PointsError(f"{path.name}: shows fewer than two kinds of garments. {again}")
    return Points(labels, unit(features), logits, centre, axes)
