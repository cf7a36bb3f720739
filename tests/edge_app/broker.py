"""A real mosquitto that can be stopped and started, and somebody who listens to it."""

import getpass
import socket
import subprocess
import threading
import time
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from waiting import DEADLINE_S

USER, PASSWORD = "ann", "s3cret/@"


class Broker:
    """mosquitto on a free port of this machine, with a password; remembers sessions over a stop."""

    def __init__(self, mosquitto: str, mosquitto_passwd: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"mqtt://{USER}:s3cret%2F%40@127.0.0.1:{self.port}/home/wardrobe"
        self.folder = folder
        passwords, self._mosquitto, self._settings = folder / "passwords", mosquitto, folder / "mosquitto.conf"
        subprocess.run([mosquitto_passwd, "-c", "-b", str(passwords), USER, PASSWORD], check=True, timeout=30)
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}"]
        lines += [f"user {getpass.getuser()}"]  # as root, it would become a user who cannot read the folder
        lines += ["persistence true", f"persistence_location {folder}/", "max_queued_messages 0"]
        self._settings.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._mosquitto, "-c", str(self._settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < deadline_s and self._process.poll() is None
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=DEADLINE_S)
            self._process = None


class Listener:
    """Everything that is published, in the order it came: (topic, payload, whether it had been retained)."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.heard: list[tuple[str, str, bool]] = []
        self._subscribed = threading.Event()
        # A session that outlives the connection: what is published while this one reconnects is kept for it.
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self._client.username_pw_set(USER, PASSWORD)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._subscribed.wait(DEADLINE_S)

    def payloads(self, topic: str) -> list[str]:
        return [payload for heard_topic, payload, _ in self.heard if heard_topic == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribe(
        self, client: Client, _: object, flags: ConnectFlags, __: ReasonCode, ___: Properties | None
    ) -> None:
        if not flags.session_present:
            client.subscribe([("home/#", 1), ("homeassistant/#", 1)])

    def _hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if not message.dup:  # the broker's own repeat, after a stop that came before our acknowledgement
            self.heard.append((message.topic, message.payload.decode(), message.retain))
