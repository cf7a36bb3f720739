"""What is kept of a training after every epoch, and said about it."""

import csv
import math
import sys
import time
from pathlib import Path

import keras
import numpy as np

from edge_app.errors import RunError
from train.files import write_atomically
from train.state import Arrays, Row, State, to_arrays
from train.team import Served
from train.tensorboard import EventLog

STATE = "state.npz"
HISTORY = "history.csv"


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """After every epoch: the state, the history and the TensorBoard log on disk, and a line with the time left.

    In the line, "data" is the share of the training's time in which ``batches`` were being made. They are made while
    the device computes, so it is the most that the device can have waited for them.
    An epoch that cannot be kept, or is not worth it, ends the training with a RunError: what was kept before stays.
    """

    async_safe = True  # the one line that a batch prints needs none of its figures: the device is not waited for

    def __init__(
        self,
        run_dir: Path,
        state: State,
        network: keras.Model,
        others: list[keras.Variable],
        *,
        total: int,
        batches: Served,
        is_chief: bool,
    ) -> None:
        super().__init__()
        self.run_dir, self.state, self.network, self.others, self.total = run_dir, state, network, others, total
        self.batches, self.is_chief = batches, is_chief
        self.events = EventLog(run_dir / "tensorboard")
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Row | None = None) -> None:
        self.began = self.shown = time.perf_counter()
        self.batches.seconds = 0.0

    def on_train_batch_end(self, batch: int, logs: Row | None = None) -> None:
        self.trained = now = time.perf_counter()
        if self.is_chief and sys.stdout.isatty() and now - self.shown > 0.5:
            self.shown = now
            done = (batch + 1) / self.params["steps"]
            print(f"\r{self._place()}: {done:4.0%} of the epoch, {self._left(done, now)}", end="\033[K", flush=True)

    def on_epoch_end(self, epoch: int, logs: Row | None = None) -> None:
        now = time.perf_counter()
        row = {"epoch": float(epoch + 1)} | {name: float(value) for name, value in (logs or {}).items()}
        variables = to_arrays([*self.network.variables, *self.others])
        require_finite(row, variables, self.run_dir)
        row["seconds"] = round(now - self.began, 2)
        self.seconds.append(row["seconds"])
        place = self._place()
        if row["val_accuracy"] > self.state.best_accuracy:
            self.state.best = to_arrays(self.network.weights)
        self.state.history.append(row)
        self.state.variables = variables
        if not self.is_chief:
            return
        self._write(row)
        making = self.batches.seconds / (self.trained - self.began)
        print(
            f"{chr(13) if sys.stdout.isatty() else ''}{place}: loss {row['loss']:.4f}, accuracy {row['accuracy']:.4f}, "
            f"val loss {row['val_loss']:.4f}, val accuracy {row['val_accuracy']:.4f}, {row['seconds']:.1f} s "
            f"(data {min(1.0, making):.0%}), "
            f"{self._left(0, now)}",
            end="\033[K\n" if sys.stdout.isatty() else "\n",
            flush=True,
        )

    def _write(self, row: Row) -> None:
        try:
            self.state.save(self.run_dir / STATE)
            write_history(self.run_dir / HISTORY, self.state.history)
            self.events.add(int(row["epoch"]), {k: v for k, v in row.items() if k not in ("epoch", "seconds")})
        except OSError as error:
            raise RunError(
                f"epoch {row['epoch']:.0f} could not be kept in {self.run_dir} ({error.strerror or error}). The "
                "last one that could is whole: make room, and the same command goes on from there."
            ) from error

    def _place(self) -> str:
        width = len(str(self.total))
        return f"epoch {len(self.state.history) + 1:{width}d}/{self.total}"

    def _left(self, done: float, now: float) -> str:
        """Time to the end at the pace of this run's epochs so far, given the finished share of the present one."""
        recent = self.seconds[-5:]
        pace_s = sum(recent) / len(recent) if recent else (now - self.began) / done
        left_s = pace_s * (self.total - len(self.state.history) - done)
        minutes, seconds = divmod(round(left_s), 60)
        return f"{minutes} min {seconds:02d} s left"


def require_finite(row: Row, variables: Arrays, run_dir: Path) -> None:
    """Raises RunError if an epoch's loss, or anything it left in ``variables``, is infinite or not a number.

    A last step may spoil the weights after the losses were taken.
    """
    figures = ("loss", "val_loss")
    wrong = next((f"{name} became {row[name]}" for name in figures if not math.isfinite(row[name])), None)
    if wrong is None and any(array.dtype.kind == "f" and not np.isfinite(array).all() for array in variables):
        wrong = "weights became infinite or not a number"
    if wrong:
        epoch = int(row["epoch"])
        kept = f"What was learned before is whole, in {run_dir / STATE}" if epoch > 1 else "Nothing was kept of it"
        raise RunError(
            f"{wrong} in epoch {epoch}. {kept}; the same command would come to the same end. Train again with a lower "
            "--learning-rate, under another --out."
        )


def write_history(path: Path, history: list[Row]) -> None:
    """The history as CSV, a row per epoch."""

    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(history[0]))
            writer.writeheader()
            writer.writerows({**row, "epoch": int(row["epoch"])} for row in history)

    write_atomically(path, write)
