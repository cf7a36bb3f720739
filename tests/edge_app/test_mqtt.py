"""Reports over MQTT, through a real mosquitto that is stopped and started."""

import contextlib
import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from broker import Broker, Listener
from browser import serving
from test_headless import MODEL, garments, headless
from waiting import wait_until

from edge_app import cli
from edge_app.errors import EdgeAppError
from edge_app.mqtt import Address, Publisher, client_id, discovery, publishing, read_address

__all__ = ["garments"]  # a fixture

STATE, AVAILABILITY = "home/wardrobe", "home/wardrobe/availability"


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory, find_program: Callable[[str], str]) -> Iterator[Broker]:
    programs = (find_program("mosquitto"), find_program("mosquitto_passwd"))
    broker = Broker(*programs, tmp_path_factory.mktemp("broker"))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def listening(broker: Broker, name: str = "listener") -> Iterator[Listener]:
    listener = Listener(broker, name)
    try:
        yield listener
    finally:
        listener.close()


@contextlib.contextmanager
def publisher_to(url: str) -> Iterator[tuple[Publisher, list[str]]]:
    said: list[str] = []
    publisher = Publisher(read_address(url), said.append)
    try:
        yield publisher, said
    finally:
        publisher.close()


def numbers(listener: Listener) -> list[int]:
    return [json.loads(payload)["number"] for payload in listener.payloads(STATE)]


def test_the_newest_thousand_outlive_a_broker_that_is_away(broker: Broker) -> None:
    with listening(broker) as listener, publisher_to(broker.url) as (publisher, said):
        for number in range(3):
            publisher.put({"number": number})
        wait_until(lambda: len(numbers(listener)) == 3 and publisher.pending == 0)
        broker.stop()
        wait_until(lambda: not publisher.connected and len(said) == 2)
        for number in range(3, 1503):
            publisher.put({"number": number})
        assert (publisher.pending, publisher.dropped) == (1000, 500)
        broker.start()
        wait_until(lambda: publisher.pending == 0)
        for number in range(1503, 1508):
            publisher.put({"number": number})
        wait_until(lambda: len(numbers(listener)) >= 1008)
        assert numbers(listener) == [0, 1, 2, *range(503, 1508)]
        assert publisher.dropped == 500
        with listening(broker, "late") as late:
            wait_until(lambda: len(late.heard) == 3)
            retained = {topic: (payload, was_retained) for topic, payload, was_retained in late.heard}
        assert retained[STATE] == ('{"number": 1507}', True)
        assert retained[AVAILABILITY] == ("online", True)
    place = f"127.0.0.1:{broker.port}"
    kept = "the newest 1000 reports are kept and it is tried again and again"
    assert said == [
        f"mqtt: {place} is lost; {kept}",
        f"mqtt: {place} cannot be reached; {kept}",
        f"mqtt: {place} is connected; kept reports follow",
    ]


def test_reports_wait_for_a_broker_that_is_not_there_yet(broker: Broker) -> None:
    broker.stop()
    with publisher_to(broker.url) as (publisher, said):
        publisher.put({"number": 1})
        wait_until(lambda: len(said) == 1)
        assert f"127.0.0.1:{broker.port} cannot be reached; the newest 1000 reports are kept" in said[0]
        broker.start()
        with listening(broker) as listener:
            wait_until(lambda: numbers(listener) == [1])


def test_a_refused_login_is_said_and_keeps_the_password_to_itself(broker: Broker) -> None:
    with publisher_to(f"mqtt://ann:wrong@127.0.0.1:{broker.port}/t") as (publisher, said):
        wait_until(lambda: len(said) == 1)
        assert "refuses the connection (Not authorized)" in said[0]
        assert "wrong" not in said[0]
        assert not publisher.connected


def test_another_trouble_is_said_and_the_same_one_is_not_repeated(broker: Broker) -> None:
    broker.stop()
    with publisher_to(f"mqtt://ann:wrong@127.0.0.1:{broker.port}/t") as (_, said):
        wait_until(lambda: len(said) == 1)
        broker.start()
        wait_until(lambda: len(said) == 2)
        broker.stop()
        wait_until(lambda: len(said) == 3)
    away, refused = "cannot be reached;", "refuses the connection (Not authorized);"
    assert [words in sentence for words, sentence in zip([away, refused, away], said, strict=True)] == [True] * 3


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])  # said by itself, and by its last will
def test_the_device_comes_and_goes(broker: Broker, garments: Path, end: signal.Signals) -> None:
    with listening(broker) as listener, headless("--camera", str(garments), "--mqtt", broker.url) as run:
        printed = [run.next_label(label) for label in ("Trouser", "Bag")]
        wait_until(lambda: len(listener.payloads(STATE)) >= 2)
        published = [json.loads(payload) for payload in listener.payloads(STATE)]
        assert published[0]["label"] == "Trouser" and printed[1] in published
        assert listener.payloads(AVAILABILITY) == ["online"]
        topic, announcement = discovery(STATE)
        assert [json.loads(payload) for payload in listener.payloads(topic)] == [announcement]
        run.process.send_signal(end)
        run.process.wait(timeout=20)
        wait_until(lambda: listener.payloads(AVAILABILITY)[-1] == "offline")


def test_after_a_power_cut_it_is_online_and_stays_so(broker: Broker, garments: Path) -> None:
    """The broker takes who connects for who was cut off, and does not say `offline` of it later."""
    options = ("--camera", str(garments), "--mqtt", broker.url)
    with listening(broker) as listener, headless(*options) as cut_off:
        wait_until(lambda: listener.payloads(AVAILABILITY) == ["online"])
        cut_off.process.send_signal(signal.SIGSTOP)
        with headless(*options):
            wait_until(lambda: listener.payloads(AVAILABILITY) == ["online", "offline", "online"])


def test_a_broker_that_has_forgotten_everything_is_told_the_newest_again(broker: Broker) -> None:
    with publisher_to(broker.url) as (publisher, _):
        for label in ("Trouser", "Bag"):
            publisher.put({"label": label})
        wait_until(lambda: publisher.connected and publisher.pending == 0)
        broker.stop()
        for kept in broker.folder.glob("mosquitto.db*"):
            kept.unlink()
        wait_until(lambda: not publisher.connected)
        broker.start()
        with listening(broker) as listener:
            wait_until(lambda: listener.payloads(AVAILABILITY) == ["online"])
            wait_until(lambda: listener.payloads(STATE) == ['{"label": "Bag"}'])


def test_a_log_that_cannot_be_written_does_not_end_it(monkeypatch: pytest.MonkeyPatch, broker: Broker) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115  closing it fails, too
    with publishing(broker.url) as put, listening(broker) as listener:
        put({"label": "Trouser"})
        wait_until(lambda: len(listener.payloads(STATE)) == 1)
        monkeypatch.setattr("sys.stderr", full)
        broker.stop()
        put({"label": "Bag"})
        broker.start()
        wait_until(lambda: '{"label": "Bag"}' in listener.payloads(STATE))
        monkeypatch.undo()
    with pytest.raises(OSError, match="No space left"):
        full.close()


def test_a_camera_that_is_not_there_is_published(broker: Broker) -> None:
    with listening(broker) as listener, headless("--camera", "nowhere.mp4", "--mqtt", broker.url) as run:
        assert run.process.wait(timeout=20) == 2
        wait_until(lambda: listener.payloads(AVAILABILITY) == ["online", "offline"])
        (report,) = map(json.loads, listener.payloads(STATE))
        assert "nowhere.mp4: no such camera, file or folder" in report["error"]


def test_a_client_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = client_id("home/wardrobe"), client_id("home/cellar")
    assert one == client_id("home/wardrobe") != other
    assert len(one) == len(other) == 23
    assert (one + other).isalnum()
    monkeypatch.setenv("HOME", "/var/lib/edge-fashion")  # the service beside a trial by hand
    assert client_id("home/wardrobe") not in (one, other)


def test_the_page_publishes_too_while_nobody_looks_at_it(broker: Broker, garments: Path) -> None:
    options = ("--model", MODEL, "--camera", str(garments), "--mqtt", broker.url)
    with listening(broker) as listener, serving(*options) as server:
        wait_until(lambda: any(json.loads(payload)["label"] == "Bag" for payload in listener.payloads(STATE)))
        assert server.stop()[0] == 0
        wait_until(lambda: listener.payloads(AVAILABILITY)[-1] == "offline")


def test_what_home_assistant_is_told() -> None:
    topic, announcement = discovery("home/wardrobe1")
    assert topic == "homeassistant/sensor/edge_fashion_home_wardrobe1/config"
    assert announcement == {
        "name": "Garment",
        "unique_id": "edge_fashion_home_wardrobe1",
        "icon": "mdi:hanger",
        "state_topic": "home/wardrobe1",
        "value_template": "{{ value_json.label | default('camera lost') }}",
        "json_attributes_topic": "home/wardrobe1",
        "availability_topic": "home/wardrobe1/availability",
        "device": {"identifiers": ["edge_fashion_home_wardrobe1"], "name": "Edge Fashion home/wardrobe1"},
        "origin": {"name": "Edge Fashion"},
    }


@pytest.mark.parametrize(
    ("topic", "name"),
    [  # with the beginning of the topic's SHA-256, by sha256sum
        ("home/a_b", "edge_fashion_home_a_b_2e23cec0"),
        ("home_a/b", "edge_fashion_home_a_b_0383c1fd"),
        ("日本/部屋", "edge_fashion_1f55c32c"),
        ("中国/房间", "edge_fashion_7ec83e3f"),
    ],
)
def test_no_two_topics_are_one_sensor(topic: str, name: str) -> None:
    place, announcement = discovery(topic)
    assert (place, announcement["unique_id"]) == (f"homeassistant/sensor/{name}/config", name)
    assert announcement["device"] == {"identifiers": [name], "name": f"Edge Fashion {topic}"}


def test_addresses() -> None:
    assert read_address("mqtt://ann:p%40ss@broker:1884/home/pi") == Address("broker", 1884, "home/pi", "ann", "p@ss")
    assert read_address("mqtt://[::1]/pi") == Address("::1", 1883, "pi", None, None)
    assert read_address("mqtt://ann:12%2F34@broker/a%40b") == Address("broker", 1883, "a@b", "ann", "12/34")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://ann:secret@broker/pi", "expected mqtt://user:password@host:1883/topic"),
        ("mqtt://ann:secret@broker", "expected mqtt://"),
        ("mqtt:///pi", "expected mqtt://"),
        ("mqtt://ann:secret@broker:99999/pi", "the port is not a number from 1 to 65535"),
        ("mqtt://ann:secret@broker:0/pi", "the port is not a number from 1 to 65535"),
        ("mqtt://ann:[secret@broker/pi", "write them in a password as %5B and %5D"),
        ("mqtt://ann:secret]1@broker/pi", "write them in a password as %5B and %5D"),
        ("mqtt://ann:secret\u2100@broker/pi", "letters that are not ASCII as %XX"),
        ("mqtt://ann:secret@broker../pi", "the host is no name"),
        ("mqtt://ann:secret@broker/\udcff", "letters that are not UTF-8"),
        ("mqtt://ann:12/secret@broker/home/pi", "write / in a password as %2F"),
        ("mqtt://ann:secret/12@broker/home/pi", "write / in a password as %2F"),
        ("mqtt://ann:secret?12@broker/home/pi", "write / in a password as %2F"),
        ("mqtt://ann:secret@broker/home@pi", "@ in a topic as %40"),
        ("mqtt://ann:secret@broker/pi?qos=1", "nothing may follow the topic"),
        ("mqtt://ann:secret@broker/pi#x", "a topic has no"),
        ("mqtt://ann:secret@broker/pi/#", "a topic has no"),
        ("mqtt://ann:secret@broker/pi/%23", "a topic has no"),
        ("mqtt://ann:secret@broker/+/pi", "a topic has no"),
        ("mqtt://ann:secret@broker/$SYS/pi", "does not begin with"),
    ],
)
def test_wrong_addresses(url: str, words: str) -> None:
    with pytest.raises(EdgeAppError, match=words) as caught:
        read_address(url)
    assert "secret" not in str(caught.value)


def test_the_browsers_camera_is_not_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--mqtt", "mqtt://broker/pi"]) == 2
    assert "--mqtt: what is published is what this machine's camera shows" in capsys.readouterr().err


def test_without_the_package_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(EdgeAppError, match=r'" -m pip install "paho-mqtt>=2\.1,<3"$'):
        Publisher(Address("broker", 1883, "pi", None, None), print)
