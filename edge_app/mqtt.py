"""Reports over MQTT: kept while the broker is away, delivered in order, announced to Home Assistant.

Retained, at QoS 1: the newest report under TOPIC, `online` or `offline` under TOPIC/availability (offline also as the
last will), and the discovery message under homeassistant/sensor/.
"""

import contextlib
import hashlib
import json
import os
import queue
import re
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from edge_app.errors import EdgeAppError
from edge_app.reports import Report

if TYPE_CHECKING:
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessageInfo
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

KEPT = 1000  # reports that wait for the broker; then the oldest is dropped
USUAL_PORT = 1883
KEEPALIVE_S = 30  # a broker that vanished without a word is noticed within one and a half times that
RECONNECT_S = (1, 30)  # pauses between attempts: from, doubling, to
POLL_S = 1.0
CLOSE_TIMEOUT_S = 3.0
ONLINE, OFFLINE = "online", "offline"


@dataclass(frozen=True)
class Address:
    """Where reports go. ``user`` and ``password`` are None for a broker that asks for none."""

    host: str
    port: int
    topic: str
    user: str | None
    password: str | None


def read_address(url: str) -> Address:
    """mqtt://user:password@host:1883/topic -> Address; user, password and port may be left out.

    Raises EdgeAppError, which does not repeat what was given: there may be a password in it.
    """
    if set(url.partition("://")[2].rpartition("@")[0]) & set("/?#"):
        raise EdgeAppError(
            "--mqtt: an @ follows a /, ? or #; write / in a password as %2F, ? as %3F, # as %23; @ in a topic as %40"
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        raise EdgeAppError(
            "--mqtt: [ and ] are for IPv6 addresses alone; write them in a password as %5B and %5D, and letters that "
            "are not ASCII as %XX"
        ) from None
    try:
        port = USUAL_PORT if parts.port is None else parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise EdgeAppError("--mqtt: the port is not a number from 1 to 65535")
    try:
        (parts.hostname or "").encode("idna")
        url.encode()
    except UnicodeError as error:
        raise EdgeAppError("--mqtt: the host is no name, or there are letters that are not UTF-8") from error
    topic = unquote(parts.path).strip("/")
    if parts.scheme != "mqtt" or not parts.hostname or not topic:
        raise EdgeAppError("--mqtt: expected mqtt://user:password@host:1883/topic, or without user, password and port")
    if set(topic) & set("+#\0") or topic.startswith("$") or "#" in url:
        raise EdgeAppError("--mqtt: a topic has no + and no #, and does not begin with $; choose another")
    if "?" in url:
        raise EdgeAppError("--mqtt: nothing may follow the topic; write ? in a topic as %3F")
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return Address(parts.hostname, port, topic, user, password)


def discovery(topic: str) -> tuple[str, dict[str, object]]:
    """Topic and content of the message by which Home Assistant finds the sensor by itself.

    Its id is the topic's letters and digits; where the topic has more than these and /, its digest keeps ids apart.
    """
    is_plain = re.fullmatch("[A-Za-z0-9]+(/[A-Za-z0-9]+)*", topic)
    digest = "" if is_plain else f" {hashlib.sha256(topic.encode()).hexdigest()[:8]}"
    name = re.sub(r"[^A-Za-z0-9]+", "_", f"edge_fashion {topic}{digest}")
    return f"homeassistant/sensor/{name}/config", {
        "name": "Garment",
        "unique_id": name,
        "icon": "mdi:hanger",
        "state_topic": topic,
        "value_template": "{{ value_json.label | default('camera lost') }}",
        "json_attributes_topic": topic,
        "availability_topic": f"{topic}/availability",
        "device": {"identifiers": [name], "name": f"Edge Fashion {topic}"},
        "origin": {"name": "Edge Fashion"},
    }


def client_id(topic: str) -> str:
    """The same each time for a topic, a machine and a user's home, 23 characters, as many as every broker takes.

    So a broker knows after a power cut that who connects is who was cut off, and does not, when that connection times
    out, publish the last will over what was said since (MQTT 3.1.1, sections 3.1.3.1 and 3.1.4). What is tried by hand
    beside a service has another: of two with the same a broker would always put out the former.
    """
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii")
    except OSError:  # not Linux, or a container
        machine = f"{uuid.getnode()}"
    known = "\n".join([machine, os.environ.get("HOME", ""), topic])
    return f"edge{hashlib.sha256(known.encode()).hexdigest()[:19]}"


def _tell(words: str) -> None:
    with contextlib.suppress(OSError):  # a log on a full disk, say: paho's thread is not to end by it
        print(words, file=sys.stderr, flush=True)


@contextlib.contextmanager
def publishing(url: str | None) -> Iterator[Callable[[Report], None]]:
    """Gives what publishes a report to the broker of `url` (None: to nobody); troubles are told on stderr.

    Raises what `read_address` and `Publisher` raise.
    """
    if url is None:
        yield lambda report: None
        return
    publisher = Publisher(read_address(url), _tell)
    try:
        yield publisher.put
    finally:
        publisher.close()


class Publisher:
    """Delivers reports one after the other, in a thread of its own; connects by itself, and again.

    ``dropped`` counts the reports that were too many while the broker was away. `say` is given a sentence when the
    broker is lost, cannot be reached or refuses, once for each change, and when it is there again. Raises EdgeAppError
    if the package paho-mqtt is missing.
    """

    def __init__(self, address: Address, say: Callable[[str], None]) -> None:
        self.dropped = 0
        self._address, self._say = address, say
        self._waiting: deque[str] = deque()
        self._delivering = False
        self._told: str | None = None  # the newest report that a broker has acknowledged
        self._greets = False  # connected, and has not said so
        self._trouble: str | None = None  # what was said of it last
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._acknowledged: queue.SimpleQueue[int] = queue.SimpleQueue()  # of each message published, its number
        self._client = self._make_client()
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        return self._client.is_connected()

    @property
    def pending(self) -> int:
        """Reports the broker has not acknowledged."""
        with self._changed:
            return len(self._waiting) + self._delivering

    def put(self, report: Report) -> None:
        """Takes a report; never waits."""
        with self._changed:
            if len(self._waiting) == KEPT:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(json.dumps(report))
            self._changed.notify_all()

    def close(self) -> None:
        """Delivers what a broker that is connected, or may yet be, takes in CLOSE_TIMEOUT_S; says `offline`, and
        disconnects."""
        deadline_s = time.monotonic() + CLOSE_TIMEOUT_S
        while self.pending and self._trouble is None and time.monotonic() < deadline_s:
            time.sleep(0.01)
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(2 * POLL_S)
        if self.connected:
            with contextlib.suppress(RuntimeError):  # lost at the last moment: then the last will says it
                self._publish(f"{self._address.topic}/availability", OFFLINE).wait_for_publish(POLL_S)
            self._client.disconnect()
            self._client.loop_stop()

    def _make_client(self) -> "Client":
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise EdgeAppError(
                f'--mqtt needs the package paho-mqtt: "{sys.executable}" -m pip install "paho-mqtt>=2.1,<3"'
            ) from error
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id(self._address.topic))
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        client.will_set(f"{self._address.topic}/availability", OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = lambda *_: self._note_trouble("cannot be reached")
        client.on_disconnect = self._on_disconnect
        client.on_publish = lambda _client, _data, number, _reason, _properties: self._acknowledged.put(number)
        client.connect_async(self._address.host, self._address.port, KEEPALIVE_S)
        return client

    # The next three are called by paho's own thread.

    def _on_connect(
        self, _client: "Client", _data: object, _flags: "ConnectFlags", reason: "ReasonCode", _: "Properties | None"
    ) -> None:
        if reason.is_failure:
            self._note_trouble(f"refuses the connection ({reason})")
            return
        if self._trouble is not None:
            self._trouble = None
            self._say(f"mqtt: {self._address.host}:{self._address.port} is connected; kept reports follow")
        with self._changed:
            self._greets = True
            self._changed.notify_all()

    def _on_disconnect(
        self, _client: "Client", _data: object, _flags: "DisconnectFlags", _reason: "ReasonCode", _: "Properties | None"
    ) -> None:
        if self._trouble is None and not self._stopping.is_set():  # after a refusal paho calls this, too
            self._note_trouble("is lost")

    def _note_trouble(self, words: str) -> None:
        if words != self._trouble:
            self._trouble = words
            kept = f"the newest {KEPT} reports are kept and it is tried again and again"
            self._say(f"mqtt: {self._address.host}:{self._address.port} {words}; {kept}")

    # And these by the publisher's.

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._stopping.is_set() or self._has_work(), POLL_S)
                if not self._has_work():
                    continue
                greets, self._greets = self._greets, False
                report = None if greets else self._waiting.popleft()
                self._delivering = report is not None
            if report is None:
                self._greet()
            else:
                self._deliver(self._address.topic, report)
                self._told = report
                with self._changed:
                    self._delivering = False

    def _has_work(self) -> bool:
        return self._client.is_connected() and (self._greets or bool(self._waiting))

    def _greet(self) -> None:
        topic, announcement = discovery(self._address.topic)
        self._deliver(topic, json.dumps(announcement))
        if self._told is not None and not self.pending:  # a broker that was started anew may have forgotten it
            self._deliver(self._address.topic, self._told)
        self._deliver(f"{self._address.topic}/availability", ONLINE)

    def _deliver(self, topic: str, payload: str) -> None:
        """Until it is acknowledged: over a connection lost meanwhile, paho sends it again over the next."""
        number = self._publish(topic, payload).mid
        while not self._stopping.is_set():
            try:
                if self._acknowledged.get(timeout=POLL_S) == number:
                    return
            except queue.Empty:
                continue

    def _publish(self, topic: str, payload: str) -> "MQTTMessageInfo":
        return self._client.publish(topic, payload, qos=1, retain=True)
