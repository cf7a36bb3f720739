"""What systemd is told of the service, see sd_notify(3); nothing where it was not started by systemd."""

import contextlib
import math
import os
import socket
import time
from collections.abc import Callable

TIMEOUT_S = 1.0
BEAT_S = 5.0  # a twelfth of the unit's WatchdogSec


def is_service() -> bool:
    """Whether systemd has started this, and starts it again when it ends (Restart=always in the project's own unit)."""
    return "NOTIFY_SOCKET" in os.environ


def tell(state: str) -> None:
    """Sends a state, as `READY=1`. A message that cannot be sent is lost, as if the service had hung."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # in Linux's abstract namespace
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages, contextlib.suppress(OSError):
        messages.settimeout(TIMEOUT_S)
        messages.sendto(state.encode(), address)


class Watchdog:
    """Tells systemd every BEAT_S that the service lives. When that stays away for WatchdogSec, it is started anew."""

    def __init__(self) -> None:
        self._fed_s = -math.inf

    def feed(self, is_well: Callable[[], bool] = lambda: True) -> None:
        """To be called when something has really been done. `is_well` is asked, when it is time, and has to agree."""
        if is_service() and time.monotonic() - self._fed_s >= BEAT_S and is_well():
            self._fed_s = time.monotonic()
            tell("WATCHDOG=1")
