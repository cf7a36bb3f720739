"""How long the slow steps still take, on one line."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

EVERY_S = 0.5  # the line is written anew at most so often
EVERY_LOGGED_S = 30.0  # into a file, where lines stay

Clock = Callable[[], float]


class Progress:
    """A line "name: 40 %, 12 s left" while a step runs, and how long it took when it is done; a context manager."""

    def __init__(self, name: str, total: int, out: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        self.name, self.total, self.clock = name, total, clock
        self.out = out or sys.stdout
        self.is_terminal = self.out.isatty()
        self.start_s = self.shown_s = clock()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._write(f"{self.name}: {duration(self.clock() - self.start_s)}", "\n")
        elif self.is_terminal:
            self.out.write("\n")

    def at(self, done: int) -> None:
        """``done`` of the total are done."""
        now_s = self.clock()
        if 0 < done < self.total and now_s - self.shown_s >= (EVERY_S if self.is_terminal else EVERY_LOGGED_S):
            self.shown_s = now_s
            left_s = (now_s - self.start_s) * (self.total - done) / done
            text = f"{self.name}: {done / self.total:.0%}, {duration(left_s)} left"
            self._write(text, "" if self.is_terminal else "\n")

    def _write(self, text: str, end: str) -> None:
        self.out.write(f"\r{text}\033[K{end}" if self.is_terminal else f"{text}{end}")
        self.out.flush()


def duration(seconds: float) -> str:
    """12 s, or 3 min 05 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
