"""Who may send frames: a limited number of visitors, each one frame at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge_app.errors import EdgeAppError
from edge_app.pipeline import Pipeline

LIMIT = 8
LEASE_S = 5.0


class Busy(EdgeAppError):
    """All places are taken."""


class StillLooking(Busy):
    """This visitor's last frame is still being looked at: the next may be sent in a moment."""


class Place:
    """One visitor's place; ``pipeline`` is what it remembers of the visitor's last frames."""

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None
        self.expires_s = 0.0
        self.in_use = False


class Places:
    """`limit` places, each kept for `lease_s` after its visitor's last frame. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float], limit: int = LIMIT, lease_s: float = LEASE_S) -> None:
        self._clock, self._limit, self._lease_s = clock, limit, lease_s
        self._places: dict[str, Place] = {}
        self._lock = threading.Lock()

    @contextmanager
    def frame(self, visitor: str) -> Iterator[Place]:
        """The visitor's place, for the time of one frame. Raises Busy or StillLooking."""
        with self._lock:
            self._clear_away()
            if visitor not in self._places and len(self._places) >= self._limit:
                raise Busy(f"{self._limit} people are looking already; it goes on when one of them leaves")
            place = self._places.setdefault(visitor, Place())
            if place.in_use:
                raise StillLooking("the picture before this one is still being looked at")
            place.in_use = True
        try:
            yield place
        finally:
            with self._lock:
                place.in_use = False
                place.expires_s = self._clock() + self._lease_s

    def _clear_away(self) -> None:
        now_s = self._clock()
        for visitor in [v for v, place in self._places.items() if not place.in_use and place.expires_s <= now_s]:
            del self._places[visitor]
