"""A slow link and a camera of the network: both on this machine, both of real sockets."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK_BYTES = 4096


class SlowLink:
    """A TCP proxy to a port of this machine; once ``slow``, with that delay each way and that rate each way."""

    def __init__(self, port: int, delay_s: float, bytes_per_s: float) -> None:
        self.slow = False
        self._to, self._delay_s, self._rate = port, delay_s, bytes_per_s
        self._free_s = {"up": 0.0, "down": 0.0}  # when each direction has sent what was given to it
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(timeout=10)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Takes no more connections; those there are end with their browser."""
        self._loop.call_soon_threadsafe(self._server.close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
        up, down = self._pump(reader, there_writer, "up"), self._pump(there_reader, writer, "down")
        await asyncio.gather(up, down)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=256)
        sending = asyncio.create_task(_deliver(due, writer))
        chunk = b"-"
        while chunk:
            with contextlib.suppress(ConnectionError):
                chunk = await reader.read(CHUNK_BYTES)
            now_s = time.monotonic()
            if self.slow:
                self._free_s[way] = max(now_s, self._free_s[way]) + len(chunk) / self._rate
                now_s = self._free_s[way] + self._delay_s
            await due.put((now_s, chunk))
        await sending


async def _deliver(due: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
    """Writes each chunk when it is due; an empty one ends the connection."""
    with contextlib.suppress(ConnectionError):
        while True:
            due_s, chunk = await due.get()
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            if not chunk:
                break
            writer.write(chunk)
            await writer.drain()
    writer.close()


class NetworkCameraStandIn:
    """A camera of the network: an MJPEG stream by http, 20 pictures a second, that can be switched off and on."""

    def __init__(self, jpegs: list[bytes]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/stream.mjpg"
        self._jpegs = jpegs
        self._server: ThreadingHTTPServer | None = None
        self._on = threading.Event()

    def switch_on(self) -> None:
        on, jpegs = self._on, self._jpegs
        on.set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                with contextlib.suppress(OSError):
                    for jpeg in endless(jpegs):
                        if not on.is_set():
                            return
                        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                        self.wfile.write(head.encode() + jpeg + b"\r\n")
                        time.sleep(0.05)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def switch_off(self) -> None:
        self._on.clear()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def endless(jpegs: list[bytes]) -> Iterator[bytes]:
    """These pictures, again and again."""
    while True:
        yield from jpegs
