"""What is let through to Gradio: only what the page needs, from the page itself, of limited size.

An ASGI middleware before all of Gradio's routes. Gradio has many (files, uploads, proxies, queues) that this page does
not use; published holes of Gradio were mostly in those. Here they do not exist.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 400_000
BODY_TIMEOUT_S = 10.0
LOGIN_PAUSE_S = 0.5  # before each try, one try at a time: guessing passwords takes years
MAX_WAITING_LOGINS = 20

HEALTH = "/healthz"
QUESTIONS = "/gradio_api/component_server"
LOGIN = "/login"
READABLE = {
    *("/", "/config", "/theme.css", "/favicon.ico", "/gradio_api/login_check", HEALTH),
    "/gradio_api/startup-events",  # asked by Gradio itself when it starts
}
READABLE_BELOW = ("/assets/", "/static/")
# Nothing is fetched from elsewhere, nor sent there, whatever the page's own code would do.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass
class Rules:
    """What the gate goes by.

    ``health`` gives what `/healthz` tells, ``ok`` among it. ``hosts`` are the names under which the page is served,
    None where any may be used. ``share_host`` is the share link's name, empty while there is none.
    """

    health: Callable[[], dict[str, object]]
    hosts: frozenset[str] | None
    share_host: str = ""
    waiting_logins: int = 0
    login_turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Refusal:
    """Why a request is not let through: an HTTP status and words."""

    status: int
    words: str


class Gate:
    """The middleware."""

    def __init__(self, app: App, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:  # a WebSocket: closed before it is opened
            await send({"type": "websocket.close"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = joined(scope["headers"])
        refusal = refuse(scope["method"], scope["path"], headers, self._rules)
        if refusal is None and scope["method"] == "POST":
            body = await read_body(receive)
            if isinstance(body, Refusal):
                refusal = body
            else:
                receive = _replay(body, receive)
        if refusal is None and scope["method"] == "POST" and scope["path"].rstrip("/") == LOGIN:
            refusal = await self._login_turn()
        if refusal is not None:
            await _answer(send, refusal.status, {"detail": refusal.words})
        elif scope["path"] == HEALTH:
            health = self._rules.health()
            await _answer(send, 200 if health["ok"] else 503, health)
        else:
            await self._app(scope, receive, _with_headers(send))

    async def _login_turn(self) -> Refusal | None:
        """Waits for this login's turn; refuses it if too many wait already."""
        if self._rules.waiting_logins >= MAX_WAITING_LOGINS:
            return Refusal(429, "too many people are logging in; try again in a moment")
        self._rules.waiting_logins += 1
        try:
            async with self._rules.login_turn:
                await asyncio.sleep(LOGIN_PAUSE_S)
        finally:
            self._rules.waiting_logins -= 1
        return None


def joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in small letters; the values of one that comes more than once are joined: whoever reads it after this may
    heed either (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def refuse(method: str, path: str, headers: dict[str, str], rules: Rules) -> Refusal | None:
    """Why a request is refused by what stands above its body; None if it is not. Header names in small letters."""
    refusal = _refuse_foreign(headers, rules)
    if refusal is None and method == "POST" and path.rstrip("/") in (QUESTIONS, LOGIN):
        return _refuse_question(path, headers)
    readable = path in READABLE or (path.startswith(READABLE_BELOW) and ".." not in path)
    if refusal is None and not (method in ("GET", "HEAD") and readable):
        return Refusal(404, "there is no such page")
    return refusal


def _refuse_foreign(headers: dict[str, str], rules: Rules) -> Refusal | None:
    """Under another name than the page's, or sent by another page."""
    host = headers.get("host", "")
    if rules.hosts is not None and host_name(host) not in rules.hosts and host != (rules.share_host or None):
        return Refusal(403, "this page is served to its own machine only; start it with --host to open it to others")
    if "origin" in headers and headers["origin"].partition("://")[2] not in (host, rules.share_host or host):
        return Refusal(403, "this question comes from another page")
    return None


def _refuse_question(path: str, headers: dict[str, str]) -> Refusal | None:
    """From another page, too long, or with files, which Gradio would store."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return Refusal(403, "this question comes from another page")
    if path.rstrip("/") == QUESTIONS and headers.get("content-type", "").lower() != "application/json":
        return Refusal(415, "a question is JSON")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        return Refusal(413, f"a question has at most {MAX_BODY_BYTES} bytes")
    return None


def host_name(host: str) -> str:
    """The Host header without its port: `[::1]:7860` -> `[::1]`."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


async def read_body(receive: Receive) -> bytes | Refusal:
    """The whole body, if it is short enough and comes in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > MAX_BODY_BYTES:
                    return Refusal(413, f"a question has at most {MAX_BODY_BYTES} bytes")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        return Refusal(408, "the question did not arrive in time")


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body as Gradio will receive it; what comes after it comes from the connection."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replayed() -> MutableMapping[str, Any]:
        return next(messages, None) or await receive()

    return replayed


def _with_headers(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        await send(message)

    return sent


async def _answer(send: Send, status: int, content: dict[str, object]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
