"""The benchmark's tables come from its JSON; engines are timed in turn and have to be the same network."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.benchmark import COMMAND, REPORT, RESULTS, lacking, multiply_accumulates
from converters.benchmark_report import comparison, duration, plot, tables
from converters.card import _limits, as_then, card, changes, commands
from converters.peers import Array, Engine, Missing, engines, inlined, litert
from converters.quantize import MODES
from converters.race import race, require_same_labels, summary, time_block
from edge_app.errors import ConversionError
from edge_app.models import CARD, assets_dir, contracts
from train.documents import with_block
from train.models import build
from train.recipes import ANSWERING, ASKED_ONCE, TEACHING, Config, best, further, live

MODEL = assets_dir() / "models" / "cnn3-fashion-mnist.tflite"
PICTURES = np.random.default_rng(1).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)


def times(p50_us: float) -> dict[str, float]:
    return {"n": 9, "p50_us": p50_us, "p95_us": 2 * p50_us}


EXAMPLE = {
    "conditions": "A processor, 2 cores",
    "models": [
        {
            "name": "cnn9",
            "parameters": 1234,
            "multiply_accumulates": 5_600_000,
            "sha256": "",
            "bytes": {"int8": 1_230_000, "float32": 4_560_000},
            "threads": {
                "1": {"LiteRT int8": times(100), "LiteRT float32": times(300), "Other": times(250)},
                "2": {"LiteRT int8": times(80), "LiteRT float32": times(200), "Other": times(1600)},
            },
            "missing": [],
            "versions": {},
        }
    ],
}


def test_the_table_by_hand() -> None:
    about, table, one, two, end = tables(EXAMPLE).split("\n\n")
    assert about == (
        "**cnn9**: 5.6 million multiply-accumulates a picture, 1,234 parameters; int8 1.23 MB, float32 4.56 MB."
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert rows == [
        ["LiteRT int8", "100 us", "200 us", "1.00", "80.0 us", "160 us", "1.00"],
        ["LiteRT float32", "300 us", "600 us", "3.00", "200 us", "400 us", "2.50"],
        ["Other", "250 us", "500 us", "2.50", "1.60 ms", "3.20 ms", "20.0"],
    ]
    assert one == "With 1 thread, LiteRT int8 takes 0.40 of the time of Other."
    assert two == "With 2 threads, LiteRT int8 takes 0.05 of the time of Other."
    assert end == "A processor, 2 cores."


def test_without_others_nothing_is_compared() -> None:
    alone = {"threads": {"1": {"LiteRT int8": times(1)}}}
    assert comparison(alone, "1") == ""


@pytest.mark.parametrize(("us", "text"), [(84.23, "84.2 us"), (142, "142 us"), (1234, "1.23 ms"), (65_400, "65.4 ms")])
def test_durations_have_three_figures(us: float, text: str) -> None:
    assert duration(us) == text


def test_the_pages_table_is_its_json() -> None:
    """Not typed: what stands between the marks is what the kept JSON gives."""
    page = RESULTS.read_text(encoding="utf-8")
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    assert with_block(page, COMMAND, tables(report)) == page
    report["models"][0]["threads"]["1"]["LiteRT int8"]["p50_us"] += 1000
    assert with_block(page, COMMAND, tables(report)) != page


def test_the_cards_speeds_are_the_benchmarks() -> None:
    """Those of the very files that were timed; a card of another has none."""
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    timed = {model["sha256"]: model["threads"] for model in report["models"]}
    for contract in contracts():
        path = assets_dir() / "models" / f"{contract.name}{CARD}"
        found = {str(speed["threads"]): speed["p50_us"] for speed in json.loads(path.read_text())["speeds"]}
        engines_of = timed.get(contract.sha256, {})
        assert found == {threads: engines_of[threads]["LiteRT int8"]["p50_us"] for threads in engines_of}


def test_cards_agree_with_their_contracts() -> None:
    """The same facts in the contract, the card as data, and the card for people."""
    for contract in contracts():
        path = assets_dir() / "models" / f"{contract.name}{CARD}"
        known = json.loads(path.read_text(encoding="utf-8"))
        assert known["contract"] == contract.to_json()
        assert known["size_bytes"] == path.with_name(f"{contract.name}.tflite").stat().st_size
        assert known["kept"]["agreement"] >= 0.99 and known["kept"]["count"] >= 3000
        assert known["kept"]["accuracy"] >= known["kept"]["float32_accuracy"] - 0.003
        text = path.with_name(f"{contract.name}.md").read_text(encoding="utf-8")
        assert text == card(known)
        assert known["commands"] == commands(contract.quantization, Config.from_json(known["config"]))
        for name, share in contract.accuracy.items():
            assert f"| {name} | {share:.2%} |" in text
        assert re.search(rf"divided by {contract.temperature} before", text)
        assert f"{known['size_bytes']:,}" in text


def test_the_card_says_how_a_base_was_tuned() -> None:
    known = json.loads((assets_dir() / "models" / f"vgg19{CARD}").read_text(encoding="utf-8"))
    known["config"]["recipe"] |= {"augmented_epochs": 20, "final_epochs": 0}
    known["config"]["recipe"]["tuning"] |= {"head_epochs": 3, "first_block": 1}
    known["config"]["start"] = ""
    text = " ".join(card(known).split())
    assert "of nothing. 3 such epochs for the new head alone, then 20 for it and all layers below it, on cpu" in text
    assert re.search(r"with tensorflow, \d+ minutes, not counting the head alone\. The weights are", text)
    known["config"]["recipe"]["tuning"] |= {"head_epochs": 0, "first_block": 4}
    known["config"]["start"] = "vgg19"
    text = " ".join(card(known).split())
    assert "of nothing. 20 such epochs for the head and the base from block 4 on, on cpu" in text
    assert "minutes, not counting those of an earlier vgg19, tuned before, with whose weights it began. The" in text


def test_the_card_names_ones_own_pictures() -> None:
    known = json.loads((assets_dir() / "models" / f"cnn4{CARD}").read_text(encoding="utf-8"))
    assert "not published" not in card(known)
    known["config"]["data"]["mine/photos.csv"] = "0" * 64
    assert "MIT licence), on mine/photos.csv, which is not published, mixed" in " ".join(card(known).split())


def test_the_card_says_if_it_began_with_a_network_that_knew_other_pictures() -> None:
    known = json.loads((assets_dir() / "models" / f"cnn4{CARD}").read_text(encoding="utf-8"))
    told = "had learned from others, perhaps from some of these: figures may be too good."
    assert told not in card(known) and "Nobody who took a validation photo took one to train on." in card(known)
    known["config"]["data"][f"start {known['config']['start']}, photos"] = "0" * 64
    text = " ".join(card(known).split())
    assert told in text and "Nobody who took" not in text


def test_the_card_says_what_of_a_recipe_has_changed() -> None:
    cpu, gpu = (live("vgg19", on_gpu) for on_gpu in (False, True))
    config = Config("vgg19", gpu, 1, 128, {})
    assert changes(gpu, [cpu, gpu]) == []
    assert changes(replace(gpu, batch_size=32, final_epochs=9), [cpu, gpu]) == [
        "batch_size",
        "final_epochs",
    ]
    assert cpu.tuning is not None
    further = replace(cpu, tuning=replace(cpu.tuning, head_epochs=0), learning_rate=1.0)
    assert changes(further, [as_then(further, today) for today in (cpu, gpu)]) == []
    taught = replace(live("cnn4", False), teaching=replace(ANSWERING, moved=0))
    assert changes(taught, [as_then(taught, live("cnn4", False))]) == ["teaching"]
    assert commands("int8", config)[0] == "# on a GPU: elsewhere its recipe is another"


def test_the_card_names_a_teacher_that_was_asked_once_by_its_run() -> None:
    taught = replace(best("cnn4", False), teaching=ASKED_ONCE)
    config = Config("cnn4", taught, 1, 28, {"teacher wide-best": "ab" * 32}, ("wide-best",))
    assert commands("int8", config)[:2] == [
        "# on a CPU: elsewhere its recipe is another",
        "# runs/wide-best had weights of the SHA-256 abababababab...: see docs/training.md, too",
    ]
    assert commands("int8", config)[2] == "python -m train cnn4 --recipe best --teacher runs/wide-best --seed 1"
    assert changes(taught, [as_then(taught, best("cnn4", False))]) == []
    known = json.loads((assets_dir() / "models" / "cnn4-fashion-mnist.card.json").read_text(encoding="utf-8"))
    words = "60 epochs augmented (also mirrored, and partly erased), of 6 epochs' views in turn, then 15 as they are"
    assert words in " ".join(card(known | {"config": config.to_json()}).split())


def test_a_command_writes_into_no_folder_that_it_reads() -> None:
    recipe = replace(further(best("cnn4", False), normalized=False), teaching=TEACHING)
    data = {"start cnn4-best": "ab" * 32, "teacher cnn4-best": "ab" * 32, "teacher cnn3-best": "cd" * 32}
    config = Config("cnn4", recipe, 1, 28, data, ("cnn4-best", "cnn3-best"), start="cnn4-best")
    assert commands("int8", config)[-3:-1] == [
        "python -m train cnn4 --recipe best --start-from EARLIER --out runs/cnn4-best-again --teacher EARLIER "
        "--teacher runs/cnn3-best --seed 1",
        "python -m converters runs/cnn4-best-again --mode int8",
    ]


def test_the_card_of_a_model_that_saw_own_pictures_does_not_speak_for_them() -> None:
    known = json.loads((assets_dir() / "models" / "cnn4.card.json").read_text(encoding="utf-8"))
    assert "and on product pictures (Fashion Product" in " ".join(card(known).split())
    data = {"mine/photos.csv": "1", "mine/products.csv": "2"}
    text = " ".join(card(known | {"config": known["config"] | {"data": data, "start": ""}}).split())
    assert (
        "1708.07747), on mine/photos.csv, which is not published, on mine/products.csv, which is not published, mix"
        in text
    )
    assert "CC0" not in text
    assert "Nobody known to have taken a validation photo took one to train on." in text
    config = Config.from_json(known["config"] | {"data": data})
    contract = next(contract for contract in contracts() if contract.name == "cnn4")
    assert _limits(contract, config).startswith("What the pictures that were added show is not said here")
    assert _limits(contract, Config.from_json(known["config"])) == known["limits"]


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        # 26*26*9*32 + 13*13*32*128 + 128*10
        ("cnn1", 194_688 + 692_224 + 1_280),
        # 26*26*9*32 + 11*11*9*32*64 + 3*3*9*64*128 + 1152*128 + 1280
        ("cnn3", 194_688 + 2_230_272 + 663_552 + 147_456 + 1_280),
    ],
)
def test_multiply_accumulates_by_hand(name: str, macs: int) -> None:
    assert multiply_accumulates(build(name)) == macs


def test_every_engine_has_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("converters.race.ROUNDS", 3)
    monkeypatch.setattr("converters.race.BLOCK_CALLS", 4)
    order: list[str] = []

    def engine(name: str) -> Engine:
        def call(_: object) -> Array:
            order.append(name)
            return np.zeros(1)

        return Engine(np.copy, call, {})

    found = {name: engine(name) for name in ("a", "b")}
    times_us = race(found, PICTURES)
    assert {name: len(own) for name, own in times_us.items()} == {"a": 12, "b": 12}
    # Three pictures to warm up and four timed, three times each, in whole blocks.
    blocks = [order[start : start + 7] for start in range(0, 42, 7)]
    assert all(len(set(block)) == 1 for block in blocks)
    assert summary([1.0, 2, 3]) == {"n": 3, "p50_us": 2.0, "p95_us": 2.9}


def test_another_network_is_found_out() -> None:
    one = Engine(np.copy, lambda _: np.eye(10)[1], {})
    other = Engine(np.copy, lambda _: np.eye(10)[2], {})
    require_same_labels({"one": one, "same": one}, PICTURES)
    with pytest.raises(ConversionError, match="other agrees with one on 0% of the pictures only"):
        require_same_labels({"one": one, "other": other}, PICTURES)


def test_a_peer_that_is_not_there_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("onnxruntime", "openvino"):
        monkeypatch.setitem(sys.modules, package, None)
    for mode in ("int8", "dynamic", "float16", "float32"):
        (tmp_path / f"{mode}.tflite").write_bytes(MODEL.read_bytes())
    found = dict(engines(tmp_path, build("cnn3"), 1, with_peers=True))
    missing = {name: engine.reason for name, engine in found.items() if isinstance(engine, Missing)}
    assert set(missing) == {"ONNX Runtime float32", "OpenVINO float32", "OpenVINO int8"}
    assert all(reason.endswith('Install it: pip install -e ".[benchmark]"') for reason in missing.values())
    running = {name: engine for name, engine in found.items() if isinstance(engine, Engine)}
    assert {engine.call(engine.ready(PICTURES[0])).shape for engine in running.values()} == {(1, 10)}


def test_inlined_weights_give_the_same_logits(tmp_path: Path) -> None:
    path = tmp_path / "int8.tflite"
    path.write_bytes(MODEL.read_bytes())
    first, second = litert(path, 1), litert(inlined(path), 1)
    for picture in PICTURES:
        assert np.array_equal(first.call(first.ready(picture)), second.call(second.ready(picture)))


def test_a_converted_model_is_timed_itself(tmp_path: Path) -> None:
    assert lacking(MODEL, tmp_path) == ("dynamic", "float16", "float32")
    assert (tmp_path / "int8.tflite").read_bytes() == MODEL.read_bytes()
    assert lacking(assets_dir() / "checkpoints" / "cnn3-fashion-mnist.weights.h5", tmp_path) == MODES


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    plot(EXAMPLE, tmp_path / "benchmark.png")
    assert (tmp_path / "benchmark.png").stat().st_size > 10_000


def test_a_warm_up_does_not_take_the_time_of_a_slow_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a block of 150 ms; a clock of its own, on which nothing else takes time."""
    now_ms, calls = [0.0], [0]

    def call(_: object) -> Array:
        now_ms[0] += 30
        calls[0] += 1
        return np.zeros(1)

    monkeypatch.setattr("time.perf_counter", lambda: now_ms[0] / 1000)
    assert time_block(Engine(lambda pixels: pixels, call, {}), [0] * 20) == pytest.approx([30_000] * 5)
    assert calls == [10]
