"""A run's state after a whole epoch: one file, replaced atomically, from which the run goes on.

Keras's BackupAndRestore keeps neither the history nor the best weights, and overwrites its one checkpoint in place.
"""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from edge_app.errors import RunError
from train.files import write_atomically

Row = dict[str, float]
Arrays = list[npt.NDArray[np.generic]]


def to_arrays(variables: Sequence[keras.Variable]) -> Arrays:
    """The values of ``variables``, as numpy arrays."""
    return [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in variables]


def assign(variables: Sequence[keras.Variable], arrays: Arrays) -> None:
    """Puts ``arrays`` back into ``variables``. Raises RunError if their number or a shape differs."""
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        raise RunError("the saved state belongs to another network. Name another folder with --out.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


@dataclass
class State:
    """History, a row per epoch; the variables after the last epoch; the weights after the best one.

    The best epoch has the highest validation accuracy, the earlier one of equals.
    """

    history: list[Row] = field(default_factory=list)
    variables: Arrays = field(default_factory=list)
    best: Arrays = field(default_factory=list)

    @property
    def best_accuracy(self) -> float:
        """Validation accuracy of the best epoch so far, -1 before the first."""
        return max((row["val_accuracy"] for row in self.history), default=-1.0)

    def save(self, path: Path) -> None:
        """Replaces the file at ``path``."""
        arrays = {f"variable{i:04d}": array for i, array in enumerate(self.variables)}
        arrays |= {f"best{i:04d}": array for i, array in enumerate(self.best)}

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez(file, allow_pickle=False, history=np.array(json.dumps(self.history)), **arrays)

        write_atomically(path, write)

    @classmethod
    def load(cls, path: Path) -> "State":
        """Reads what ``save`` wrote; an empty state if there is no file. Raises RunError if it is damaged."""
        if not path.exists():
            return cls()
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                names = sorted(archive.files)
                return cls(
                    [dict(row) for row in json.loads(str(archive["history"]))],
                    [archive[name] for name in names if name.startswith("variable")],
                    [archive[name] for name in names if name.startswith("best")],
                )
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(f"{path}: damaged ({error}). Delete it to start this run again.") from error
