"""Who may send frames: a limited number of visitors, each one frame at a time."""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge_app.errors import EdgeAppError
from edge_app.pipeline import Pipeline

LIMIT = 8
LEASE_S = 5.0
MAX_FPS = 60.0


class Busy(EdgeAppError):
    """All places are taken."""


class StillLooking(Busy):
    """This visitor's last frame is still being looked at: the next may be sent in a moment."""


class TooSoon(Busy):
    """This visitor sends more frames a second than are taken."""


class Place:
    """One visitor's place; ``pipeline`` is what it remembers of the visitor's last frames."""

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None
        self.expires_s = 0.0
        self.in_use = False
        self.credit = math.inf  # frames that may be sent now
        self.counted_s = 0.0  # when the credit was last counted


class Places:
    """`limit` places, each kept for `lease_s` after its visitor's last frame. `clock` gives seconds.

    A visitor may send `max_fps` frames a second, and as many at once as in one second, but one at least.
    """

    def __init__(
        self, clock: Callable[[], float], limit: int = LIMIT, lease_s: float = LEASE_S, max_fps: float = MAX_FPS
    ) -> None:
        self._clock, self._limit, self._lease_s, self._max_fps = clock, limit, lease_s, max_fps
        self._places: dict[str, Place] = {}
        self._lock = threading.Lock()

    @contextmanager
    def frame(self, visitor: str) -> Iterator[Place]:
        """The visitor's place, for the time of one frame. Raises Busy, StillLooking or TooSoon."""
        with self._lock:
            self._clear_away()
            if visitor not in self._places and len(self._places) >= self._limit:
                raise Busy(f"{self._limit} people are looking already; it goes on when one of them leaves")
            place = self._places.setdefault(visitor, Place())
            if place.in_use:
                raise StillLooking("the picture before this one is still being looked at")
            self._spend_credit(place)
            place.in_use = True
        try:
            yield place
        finally:
            with self._lock:
                place.in_use = False
                place.expires_s = self._clock() + self._lease_s

    def _spend_credit(self, place: Place) -> None:
        now_s = self._clock()
        earned = self._max_fps * (now_s - place.counted_s)
        place.credit, place.counted_s = min(place.credit + earned, max(self._max_fps, 1.0)), now_s
        if place.credit < 1:
            raise TooSoon("pictures come faster than they are taken")
        place.credit -= 1

    def _clear_away(self) -> None:
        now_s = self._clock()
        for visitor in [v for v, place in self._places.items() if not place.in_use and place.expires_s <= now_s]:
            del self._places[visitor]
