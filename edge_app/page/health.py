"""Whether all is well: what the page says of it, and what it is asked."""

import ssl
import urllib.request

from edge_app.page.frames import Desk, Reply
from edge_app.page.gate import HEALTH
from edge_app.reports import Seen

PROBE_TIMEOUT_S = 5.0


def health(desk: Desk, seen: Seen | None) -> Reply:
    """What `/healthz` tells: the desk's health, and that the camera that is published (`seen`) gives pictures."""
    told = desk.health()
    silent = told["ok"] and seen is not None and not seen.lately()
    return {**told, "ok": False, "trouble": "the camera gives no pictures"} if silent else told


def is_well(page_url: str) -> bool:
    """Whether the page answers that all is well."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # its own certificate is signed by nobody else
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    straight = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
    try:
        with urllib.request.build_opener(*straight).open(f"{page_url}{HEALTH[1:]}", timeout=PROBE_TIMEOUT_S):
            return True
    except OSError:
        return False
