"""Attacks on the page's server: those of Gradio's published advisories, and those anybody would try."""

import base64
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Server, ask, component, serving
from sent import sent, sent_drawing

from edge_app.errors import EdgeAppError
from edge_app.models import default_model
from edge_app.page.app import read_auth
from edge_app.page.gate import MAX_BODY_BYTES, Rules, host_name, joined, refuse

RULES = Rules(dict, frozenset({"localhost", "127.0.0.1", "[::1]"}))
OPEN = Rules(dict, None)
ASK = "/gradio_api/component_server"
HERE = {"host": "127.0.0.1:7860", "content-type": "application/json"}


def test_a_host_without_its_port() -> None:
    named = {"a.b:80": "a.b", "A.b": "a.b", "[::1]:7860": "[::1]", "[::1]": "[::1]", "": ""}
    assert {host: host_name(host) for host in named} == named


@pytest.mark.parametrize(
    ("rules", "headers", "status"),
    [
        (RULES, {**HERE}, None),
        (RULES, {**HERE, "origin": "http://127.0.0.1:7860"}, None),
        (RULES, {**HERE, "host": "[::1]:7860", "origin": "http://[::1]:7860"}, None),
        (RULES, {**HERE, "origin": "http://127.0.0.1:8000"}, 403),  # another program's page
        (RULES, {**HERE, "origin": "http://evil.example"}, 403),
        (RULES, {**HERE, "origin": "null"}, 403),
        (RULES, {**HERE, "origin": ""}, 403),
        (RULES, {**HERE, "sec-fetch-site": "cross-site"}, 403),
        (RULES, {**HERE, "sec-fetch-site": "same-site"}, 403),
        (RULES, {"host": "evil.example:7860", "origin": "http://evil.example:7860"}, 403),  # a rebound name
        (RULES, {}, 403),
        (OPEN, {**HERE, "host": "pi.local:7860", "origin": "http://pi.local:7860"}, None),
        (OPEN, {"host": "pi.local:7860", "origin": "http://evil.example"}, 403),
        (OPEN, {"host": "pi.local:7860", "origin": "http://evil.example", "x-forwarded-host": "evil.example"}, 403),
        (RULES, {**HERE, "content-length": str(MAX_BODY_BYTES)}, None),
        (RULES, {**HERE, "content-length": str(MAX_BODY_BYTES + 1)}, 413),
        (RULES, {**HERE, "content-length": "many"}, 413),
        (RULES, {**HERE, "content-type": "multipart/form-data; boundary=x"}, 415),
        (RULES, {**HERE, "content-type": "multipart/form-data; boundary=x, application/json"}, 415),
        (RULES, {**HERE, "content-type": "text/plain"}, 415),
    ],
)
def test_questions_come_from_the_page_itself(rules: Rules, headers: dict[str, str], status: int | None) -> None:
    refusal = refuse("POST", ASK, headers, rules)
    assert (refusal.status if refusal else None) == status


def test_of_a_header_that_comes_twice_nothing_is_lost() -> None:
    pairs = [(b"Content-Type", b"multipart/form-data"), (b"Host", b"a"), (b"content-type", b"application/json")]
    assert joined(pairs) == {"content-type": "multipart/form-data, application/json", "host": "a"}


def test_a_share_links_name_is_the_pages_too() -> None:
    rules = Rules(dict, RULES.hosts, share_host="abc.gradio.live")
    for headers in (
        {**HERE, "host": "abc.gradio.live", "origin": "https://abc.gradio.live"},
        {**HERE, "origin": "https://abc.gradio.live"},  # a tunnel may give the server its own name
    ):
        assert refuse("POST", ASK, headers, rules) is None
    for host in ("xyz.gradio.live", "", "evil.example"):
        assert refuse("POST", ASK, {"host": host}, rules) is not None
    assert refuse("POST", ASK, {"host": "abc.gradio.live", "origin": "https://xyz.gradio.live"}, rules) is not None


@contextlib.contextmanager
def connected(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        yield connection
    finally:
        connection.close()


def fetch(server: Server, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    with connected(server) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()


# The ways of Gradio's advisories to files, to other servers, and to functions that are nobody's business.
SECRET = str(Path(__file__).resolve())
READING = [
    *(f"/{route}={path}" for route in ("file", "gradio_api/file") for path in (SECRET, "/etc/passwd", "~/.bashrc")),
    f"/gradio_api/file={'../' * 12}etc/passwd",
    "/gradio_api/file=%2Fetc%2Fpasswd",
    "/gradio_api/file=http://127.0.0.1:22/",
    "/gradio_api/file/etc/passwd",
    f"/assets/{'../' * 12}etc/passwd",
    f"/assets/{'..%2f' * 12}etc/passwd",
    f"/static/{'%2e%2e/' * 12}etc/passwd",
    "/static/..\\..\\..\\etc\\passwd",
    f"/svelte/{'../' * 12}etc/passwd",
    f"/custom_component/1/client/component/{'../' * 12}etc/passwd",
    "/gradio_api/custom_component/1/client/component/package.json",
    "/proxy=http://127.0.0.1:22/",
    "/gradio_api/proxy=https://example.hf.space/",
    "/gradio_api/stream/a/b/c/playlist.m3u8",
    "/gradio_api/dev/reload",
    "/gradio_api/runs",
    "/gradio_api/info",
    "/gradio_api/openapi.json",
    "/gradio_api/queue/data?session_hash=a",
    "/gradio_api/deep_link",
    "/gradio_api/mcp/sse",
    "/monitoring",
    "/monitoring/summary",
    "/openapi.json",
    "/docs",
    "//etc/passwd",
    "/.env",
]


@pytest.mark.parametrize("path", READING)
def test_no_file_and_no_other_server_is_read_through_the_page(server: Server, path: str) -> None:
    status, content = fetch(server, "GET", path)
    assert status == 404
    assert b"root:" not in content and b"Attacks on the page" not in content


@pytest.mark.parametrize(
    "path",
    [
        *("/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/call/v2/predict"),
        *("/gradio_api/reset", "/gradio_api/cancel", "/gradio_api/process_recording", "/gradio_api/vibe-edit"),
        *("/gradio_api/run-history/connect", "/gradio_api/stream/a", "/upload", "/", "/healthz"),
    ],
)
def test_nothing_is_stored_or_run_through_the_page(server: Server, path: str) -> None:
    assert fetch(server, "POST", path, b"{}", Content_Type="application/json")[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT"])
def test_there_are_no_other_methods(server: Server, method: str) -> None:
    assert fetch(server, method, "/")[0] in (400, 404, 405)


@pytest.mark.parametrize(
    "function", ["move_resource_to_block_cache", "postprocess", "__init__", "get_config", "nothing"]
)
def test_no_other_function_is_called(server: Server, function: str) -> None:
    body = {"data": [SECRET], "component_id": component(server), "fn_name": function, "session_hash": "a"}
    assert fetch(server, "POST", ASK, json.dumps(body).encode(), Content_Type="application/json")[0] == 404


def test_a_file_in_a_message_is_refused(server: Server) -> None:
    smuggled = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    reply = ask(server, "classify_frame", {"visitor": "file", "model": default_model(), "jpeg": smuggled})
    assert reply["words"] == "refused: the message holds no picture"
    assert "root:" not in json.dumps(reply)


def test_a_huge_body_is_refused_before_it_is_read(server: Server) -> None:
    before_mb = server.memory_mb()
    with connected(server) as connection:
        connection.putrequest("POST", ASK)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(60_000_000))
        connection.endheaders()
        assert connection.getresponse().status == 413  # nothing of it was sent
    with connected(server) as connection, contextlib.suppress(ConnectionError):  # one that does not say how long it is
        chunks = (b"A" * 100_000 for _ in range(600))
        connection.request("POST", ASK, chunks, {"Content-Type": "application/json"}, encode_chunked=True)
        assert connection.getresponse().status == 413
    assert server.memory_mb() - before_mb < 20


def test_a_small_file_that_decodes_to_a_huge_picture_is_refused(server: Server) -> None:
    """Its header says 12000x12000; behind it is what 16x16 need."""
    small = base64.b64decode(sent(np.zeros((16, 16), dtype=np.uint8)))
    size = b"\x08" + 2 * (16).to_bytes(2, "big")  # of 8 bits, height and width: ITU-T T.81, B.2.2
    assert small.count(size) == 1
    huge = small.replace(size, b"\x08" + 2 * (12000).to_bytes(2, "big"))
    before_mb = server.memory_mb()
    message = {"visitor": "huge", "model": default_model(), "jpeg": base64.b64encode(huge).decode()}
    assert "12000x12000 pixels" in ask(server, "classify_frame", message)["words"]
    assert server.memory_mb() - before_mb < 20


def test_more_frames_than_are_taken_are_turned_away(server: Server) -> None:
    message = {"visitor": "fast", "model": default_model(), "jpeg": ""}
    began = time.monotonic()
    replies = [ask(server, "classify_frame", message) for _ in range(200)]
    taken = [reply for reply in replies if reply["state"] != "busy"]
    assert 60 <= len(taken) <= 61 + 60 * (time.monotonic() - began)
    assert all(reply["again"] for reply in replies if reply["state"] == "busy")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read where Linux tells it")
def test_visitors_under_ever_new_names_do_not_fill_the_memory() -> None:
    with serving() as server:

        def come(count: int, first: int) -> None:
            for number in range(first, first + count):
                ask(server, "model_speeds", {}, session=f"{number}{'x' * 380_000}")

        come(100, 0)
        before_mb = server.memory_mb()
        come(400, 100)
        assert server.memory_mb() - before_mb < 80  # all of the names have 152 MB


def test_half_open_connections_keep_nobody_out(server: Server) -> None:
    with contextlib.ExitStack() as opened:
        for number in range(100):
            line = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            opened.callback(line.close)
            head = f"POST {ASK} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            line.sendall((head if number % 2 else head + "Content-Length: 100\r\n\r\n{").encode())
        assert fetch(server, "GET", "/")[0] == 200
        assert "words" in ask(server, "classify_frame", {"visitor": "half", "model": default_model(), "jpeg": ""})


def test_what_is_let_through_carries_its_policy(server: Server) -> None:
    with connected(server) as connection:
        connection.request("GET", "/")
        headers = dict(connection.getresponse().getheaders())
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_another_pages_question_is_refused_by_the_server(server: Server) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        assert fetch(server, "POST", ASK, b"{}", **headers)[0] == 403
        assert fetch(server, "GET", "/", b"", **headers)[0] == 403


@pytest.mark.parametrize(
    ("auth", "credentials"),
    [
        (None, None),
        ("ann:secret", ("ann", "secret")),
        (" ann\t:secret", ("ann", "secret")),  # Gradio takes a name that is typed without what is around it
        ("ann: se:cret ", ("ann", " se:cret ")),
    ],
)
def test_who_may_log_in(auth: str | None, credentials: tuple[str, str] | None) -> None:
    assert read_auth(auth) == credentials


@pytest.mark.parametrize("auth", ["", ":", "ann", "ann:", ":secret", " :secret"])
def test_a_login_that_nobody_could_use_is_refused(auth: str) -> None:
    with pytest.raises(EdgeAppError, match="--auth: expected USER:PASSWORD") as refused:
        read_auth(auth)
    assert "secret" not in str(refused.value)


def test_passwords_are_tried_one_after_the_other() -> None:
    with serving("--auth", "ann:secret") as server:
        for path in ("/config", "/gradio_api/login_check"):
            assert fetch(server, "GET", path)[0] == 401
        assert fetch(server, "POST", ASK, b"{}", Content_Type="application/json")[0] == 401
        statuses: list[int] = []

        def guess() -> None:
            form = b"username=ann&password=guess"
            statuses.append(fetch(server, "POST", "/login", form, Content_Type="application/x-www-form-urlencoded")[0])

        began = time.monotonic()
        guesses = [threading.Thread(target=guess) for _ in range(6)]
        for thread in guesses:
            thread.start()
        for thread in guesses:
            thread.join()
        assert statuses == [400] * 6
        assert time.monotonic() - began >= 3.0


def test_health_says_whether_frames_are_classified() -> None:
    message = {"visitor": "a", "model": default_model(), "jpeg": sent_drawing("bag")}
    with serving() as server:
        status, content = fetch(server, "GET", "/healthz")
        idle = {"ok": True, "trouble": "", "classifying": False, "answers": 0, "seconds_since_answer": None}
        assert (status, json.loads(content)) == (200, idle)
        assert ask(server, "classify_frame", message)["answer"] == "Bag"
        health = json.loads(fetch(server, "GET", "/healthz")[1])
        assert (health["classifying"], health["answers"]) == (True, 1)
        assert 0 <= health["seconds_since_answer"] < 5
