"""The command line, as real processes."""

import errno
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_app import cli
from edge_app.classify import in_words
from edge_app.labels import LIVE
from edge_app.models import assets_dir, contracts, default_model

ROOT = assets_dir().parent
MAX_MEMORY_MB = 700

# Runs its arguments after the first, and writes their process's peak memory into the first. Our own process can't ask:
# what it has used itself would count as its child's.
MEASURE = """
import pathlib, resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
pathlib.Path(sys.argv[1]).write_text(str(peak))
sys.exit(status)
"""


def run(*arguments: str | Path, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", "edge_app", *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def told(stderr: str) -> list[str]:
    """The lines that are ours: the runtime's C++ part adds one of its own, `INFO: Created TensorFlow Lite ...`."""
    return [line for line in stderr.splitlines() if not line.startswith("INFO: ")]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of every kind and condition; `good.png` is a dark T-shirt on white."""
    folder = tmp_path_factory.mktemp("pictures")
    shirt = Image.open(assets_dir() / "examples" / "t-shirt.png").convert("RGB")
    shirt.save(folder / "good.png")
    shirt.save(folder / "good.jpg", quality=95)
    shirt.convert("L").save(folder / "grey.png")
    shirt.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    clear = shirt.copy()
    clear.putalpha(shirt.convert("L").point(lambda value: 0 if value > 250 else 255))
    clear.save(folder / "rgba.png")
    Image.fromarray(np.asarray(shirt.convert("L")).astype(np.uint16) * 257).save(folder / "sixteen.png")
    tags = Image.Exif()
    tags[0x0112] = 6  # stored lying on its left side
    shirt.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", quality=95, exif=tags)
    (folder / "below").mkdir()
    shirt.save(folder / "below" / "deep.WEBP", lossless=True)
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("not a picture")
    (folder / "truncated.jpg").write_bytes((folder / "good.jpg").read_bytes()[:9000])
    Image.new("1", (12000, 12000)).save(folder / "huge.png")
    (folder / "notes.txt").write_text("not looked at")
    return folder


GOOD = {"below/deep.WEBP", "cmyk.jpg", "good.jpg", "good.png", "grey.png", "rgba.png", "sixteen.png", "turned.jpg"}
BAD = {"empty.jpg": "empty", "huge.png": "12000x12000", "text.jpg": "not a JPEG", "truncated.jpg": "truncated"}


def test_classify_answers_or_explains_every_file(pictures: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    done = run("classify", pictures, "--json", prefix=(sys.executable, "-c", MEASURE, str(memory)))
    answers = {
        Path(answer["path"]).relative_to(pictures).as_posix(): answer
        for answer in map(json.loads, done.stdout.splitlines())
    }
    assert done.returncode == 1
    assert told(done.stderr) == []
    assert list(answers) == sorted(answers, key=lambda path: Path(path).parts)
    assert set(answers) == GOOD | set(BAD)
    labels = next(contract.labels for contract in contracts() if contract.name == default_model())
    for name in GOOD:
        answer = answers[name]
        assert list(answer) == ["path", "model", "label", "confidence", "probs", "none", "latency_ms"]
        assert answer["model"] == default_model()
        assert tuple(answer["probs"]) == labels
        assert sum(answer["probs"].values()) == pytest.approx(1, abs=1e-4)
        assert answer["latency_ms"] > 0
        assert answer["label"] == answers["good.png"]["label"], name
    for name, reason in BAD.items():
        assert set(answers[name]) == {"path", "error"}
        assert reason in answers[name]["error"]
    assert float(memory.read_text()) < MAX_MEMORY_MB


def test_the_same_pixels_give_the_same_answer(pictures: Path) -> None:
    done = run("classify", "--json", pictures / "good.png", pictures / "below" / "deep.WEBP")
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0
    assert first["probs"] == second["probs"]


def test_classify_in_plain_words(pictures: Path) -> None:
    done = run("classify", pictures / "missing.jpg", pictures / "good.png")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{pictures / 'good.png'}: ")
    assert done.stdout.endswith("%)\n")
    assert told(done.stderr) == [f"error: {pictures / 'missing.jpg'}: no such picture file; check the path"]


def test_each_answer_in_words() -> None:
    """The share beside a name is its own."""
    probs = dict.fromkeys(LIVE, 0.0) | {"Shirt": 0.45, "Coat": 0.05, "none": 0.5}
    answer = {"confidence": 0.45, "none": 0.5, "probs": probs}
    assert in_words(answer | {"label": "Shirt"}) == "Shirt (45%)"
    assert in_words(answer | {"label": "unsure"}) == "unsure (Shirt 45%)"
    assert in_words(answer | {"label": "none"}) == "none (50%)"
    own = {"label": "unsure", "confidence": 0.5, "none": None, "probs": {"Kilt": 0.5, "Sari": 0.4, "Toga": 0.1}}
    assert in_words(own) == "unsure (Kilt 50%)"


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    done = run("classify", "--json", tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["path"] == str(tmp_path)
    assert "no pictures" in json.loads(done.stdout)["error"]


def test_what_cannot_be_looked_at_is_told_and_the_rest_is_done(tmp_path: Path, pictures: Path) -> None:
    long = tmp_path / ("n" * 300 + ".jpg")
    done = run("classify", "--json", long, pictures / "good.png")
    failed, answered = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, told(done.stderr)) == (1, [])
    assert failed == {
        "path": str(long),
        "error": f"{long}: cannot be read (File name too long); check its name and permissions",
    }
    assert answered["path"] == str(pictures / "good.png")


def test_a_folder_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # An administrator may list every folder: so the system's answer is given here.
    closed = tmp_path / "b"
    closed.mkdir()
    for name in ("a.png", "c.png"):
        shutil.copy(assets_dir() / "examples" / "bag.png", tmp_path / name)
    scandir = os.scandir

    def refusing(path: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert cli.main(["classify", str(tmp_path)]) == 1
    answers, errors = capsys.readouterr()
    assert [line.split(": ")[0] for line in answers.splitlines()] == [str(tmp_path / "a.png"), str(tmp_path / "c.png")]
    assert errors == f"error: {closed}: cannot be read (Permission denied); check its name and permissions\n"
    assert cli.main(["classify", str(closed)]) == 1
    assert "no pictures" not in capsys.readouterr().err


@pytest.mark.parametrize("command", [("models", "--json"), ("classify", "assets/examples")])
def test_answers_nobody_reads_end_it_quietly(command: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_app", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, told(errors)) == (141, [])


def test_closed_outputs_are_no_reason_to_fail() -> None:
    command = f"{shlex.quote(sys.executable)} -m edge_app models >&- 2>&-"
    assert subprocess.run(command, shell=True, cwd=ROOT, timeout=60, check=False).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("command", [("models",), ("classify", "assets/examples")])
def test_a_full_disk_is_one_line(command: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edge_app", *command],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, told(done.stderr)) == (2, ["error: [Errno 28] No space left on device"])


def test_classify_starts_without_gradio_and_tensorflow() -> None:
    script = (
        "import sys; from edge_app.cli import main; status = main(['classify', 'assets/examples/bag.png']); "
        "print(sorted({'gradio', 'keras', 'matplotlib', 'tensorflow', 'train'} & set(sys.modules)), status)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_bench_gives_every_stage() -> None:
    done = run("bench", "--json", "--threads", "1", "--frames", "30", "--warm-up", "5")
    stages = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(stages) == ["decode", "preprocess", "invoke", "decide", "total"]
    for stage in stages.values():
        assert list(stage) == ["n", "p50", "p95", "p99"]
        assert stage["n"] == 30
        assert 0 < stage["p50"] <= stage["p95"] <= stage["p99"]
    assert stages["total"]["p50"] > stages["invoke"]["p50"]
    assert f"{default_model()} (" in done.stderr
    assert "threads: 1" in done.stderr and "warm-up: 5 frames" in done.stderr


def test_bench_ends_with_a_row_to_send_back() -> None:
    *_, row = run("bench", "--threads", "1").stdout.splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:3] == [f"{default_model()} int8", "1"]
    assert all(re.fullmatch(r"\d+\.\d\d / \d+\.\d\d", cell) for cell in cells[3:5])
    assert cells[5].startswith(f"Python {platform.python_version()}, ")


def test_models_are_their_contracts() -> None:
    done = run("models", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == [contract.to_json() for contract in contracts()]
    listed = run("models").stdout.splitlines()
    assert [line[2:].split()[0] for line in listed] == [contract.name for contract in contracts()]
    assert [line[2:].split()[0] for line in listed if line.startswith("*")] == [default_model()]


@pytest.mark.parametrize("command", [("classify", "x.jpg"), ("bench",)])
def test_an_unknown_model_is_one_line(command: tuple[str, ...]) -> None:
    done = run(*command, "--model", "cnn9")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: no model 'cnn9'")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "70000: expected 1 to 65535"),
        (["--port", "0"], "0: expected 1 to 65535"),
        (["--port", "http"], "invalid"),
        (["--max-fps", "1e-320"], "1e-320: expected 0.1 to 240"),
        (["--max-fps", "nan"], "nan: expected 0.1 to 240"),
        (["bench", "--threads", "0"], "0: expected 1 to 64"),
        (["bench", "--threads", "999999999999"], "999999999999: expected 1 to 64"),
        (["classify"], "PATH"),
        (["classify", ""], "an empty name; name a picture"),
        (["--share", "models"], "--share is an option of the page, not of models"),
        (["--model", "cnn4", "models"], "--model is no option of models, which lists all"),
        (["classify", "x.png", "--model", ""], "--model: an empty name; leave the option out"),
        (["--no-page", "--camera", ""], "--camera: an empty name; leave the option out"),
        (["--host", ""], "--host: an empty name; leave the option out"),
        (["--tls"], "unrecognized"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        cli.main(arguments)
    assert refused.value.code == 2
    assert message in capsys.readouterr().err


def test_a_model_may_be_named_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--model", "cnn9", "bench"]) == 2
    assert "cnn9" in capsys.readouterr().err


def test_the_page_is_given_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_app.page import app

    calls: list[dict[str, object]] = []

    def serve(**options: object) -> int:
        calls.append(options)
        return 0

    monkeypatch.setattr(app, "serve", serve)
    assert cli.main([]) == 0
    chosen = [
        "--camera",
        "0",
        "--model",
        "cnn4",
        "--host",
        "0.0.0.0",
        "--port",
        "80",
        "--share",
        "--share-camera",
        "--https",
    ]
    assert cli.main([*chosen, "--auth", "a:b", "--max-fps", "2.5", "--mqtt", "mqtt://h/t"]) == 0
    keys = ("camera", "model", "host", "port", "share", "share_camera", "https", "auth", "max_fps", "mqtt")
    assert calls == [
        dict(zip(keys, ("browser", None, "127.0.0.1", 7860, False, False, False, None, None, None), strict=True)),
        dict(zip(keys, ("0", "cnn4", "0.0.0.0", 80, True, True, True, "a:b", 2.5, "mqtt://h/t"), strict=True)),
    ]


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert cli.main(["models"]) == 130


def test_examples_are_named_with_nothing_downloaded() -> None:
    environment = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "edge_app", "classify", "assets/examples", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    answers = {Path(answer["path"]).stem: answer["label"] for answer in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0
    assert len(answers) == 10
    certain = {"t-shirt": "T-shirt/top", "trouser": "Trouser", "dress": "Dress", "sneaker": "Sneaker", "bag": "Bag"}
    assert {name: answers[name] for name in certain} == certain
