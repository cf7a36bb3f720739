"""The same app on both TFLite runtimes, the older one in an environment of its own."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_app.classifier import Classifier
from edge_app.contract import Contract
from edge_app.errors import RuntimeMissing
from edge_app.models import assets_dir, contracts
from edge_app.preprocess import images_to_input
from edge_app.runtime import INSISTED, make_interpreter
from train.data import load_fashion_mnist

ROOT = Path(__file__).parents[2]
OLDER = "tflite-runtime"
IMAGES = 1000
STEPS = 3  # by which an int8 logit may differ
CLEAR_STEPS = 6  # between the two best logits: the best label is then the same
INT8 = [contract for contract in contracts() if contract.quantization == "int8"]

LOGITS = """
import os, sys
import numpy as np
from edge_app.classifier import Classifier
classifier = Classifier.load(sys.argv[1], threads=os.cpu_count())  # vgg19 takes minutes
np.save(sys.argv[3], classifier.logits(np.load(sys.argv[2])))
print(classifier.runtime)
"""


@pytest.fixture(scope="session")
def older_python() -> Path:
    """A Python 3.11 with tflite-runtime and what the classifier needs; kept for the next time."""
    base = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if base is None:
        pytest.skip("tflite-runtime needs Python 3.11, and there is none")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pillow = [line for line in project["dependencies"] if line.startswith("pillow")]
    wanted = [*project["optional-dependencies"][OLDER], *pillow]
    digest = hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"edge-fashion-{OLDER}-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True, timeout=300)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
        done = subprocess.run([*pip, *wanted], capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            without = pytest.fail if os.environ.get("EDGE_APP_DATA") else pytest.skip
            without(f"tflite-runtime cannot be installed here: {done.stderr.strip()[-300:]}")
        (folder / "complete").touch()
    return python


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """That Python in the checkout, and nothing of this one's environment."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", INSISTED)}
    command = [str(python), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)


def disagreements(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> list[str]:
    """What is wrong with two runtimes' int8 logits, in steps, (N, classes) each; empty if all is well."""
    found = []
    if (most := float(np.abs(ours - theirs).max())) > STEPS + 0.01:
        found.append(f"logits differ by {most:.0f} steps")
    ordered = np.sort(ours, axis=-1)
    clear = ordered[:, -1] - ordered[:, -2] > CLEAR_STEPS
    if (count := int((clear & (ours.argmax(axis=-1) != theirs.argmax(axis=-1))).sum())) > 0:
        found.append(f"{count} clear labels differ")
    return found


@pytest.mark.parametrize("contract", INT8, ids=lambda contract: contract.name)
def test_both_runtimes_say_the_same(contract: Contract, older_python: Path, data_dir: Path, tmp_path: Path) -> None:
    images = load_fashion_mnist(str(data_dir), 1).val.images[:IMAGES]
    pixels = images_to_input(images, contract.input.shape)
    np.save(tmp_path / "pixels.npy", pixels)
    given = tmp_path / "logits.npy"
    done = run(older_python, "-c", LOGITS, contract.name, str(tmp_path / "pixels.npy"), str(given))
    assert (done.returncode, done.stdout.strip()) == (0, OLDER), done.stderr
    classifier = Classifier.load(contract.name, threads=os.cpu_count())
    assert classifier.runtime == "ai-edge-litert"
    interpreter, _ = make_interpreter((assets_dir() / "models" / f"{contract.name}.tflite").read_bytes(), 1, "")
    step = interpreter.get_output_details()[contract.outputs["logits"]]["quantization"][0]
    ours, theirs = (logits.astype(np.float64) / step for logits in (classifier.logits(pixels), np.load(given)))
    assert disagreements(ours, theirs) == []
    assert disagreements(ours, np.roll(theirs, 1, axis=-1)) != []


def test_disagreements_by_hand() -> None:
    ours = np.array([[10.0, 3, 0], [5, 4, 0]])  # the second picture's two best are one step apart
    close, far, other = (
        ours + np.array(change)
        for change in ([[-3, 3, 0], [-1, 1, 3]], [[0, 0, 4], [0, 0, 0]], [[-5, 4, 0], [0, 0, 0]])
    )
    assert disagreements(ours, close) == []
    assert disagreements(ours, far) == ["logits differ by 4 steps"]
    assert disagreements(ours, other) == ["logits differ by 5 steps", "1 clear labels differ"]


def test_one_can_insist_on_a_runtime(older_python: Path) -> None:
    picture = str(assets_dir() / "examples" / "trouser.png")
    command = ("-m", "edge_app", "classify", picture, "--model", "cnn3-fashion-mnist", "--json", "--runtime")
    done = run(older_python, *command, OLDER)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["label"] == "Trouser"
    refused = run(older_python, *command, "ai-edge-litert")
    assert refused.returncode == 2
    assert "no TFLite runtime works here (ai-edge-litert: No module named" in refused.stderr
    assert "Install one: pip install ai-edge-litert" in refused.stderr


def test_a_runtime_that_is_not_there_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    content = (assets_dir() / "models" / "cnn3-fashion-mnist.tflite").read_bytes()
    monkeypatch.setenv(INSISTED, "tensorrt")
    with pytest.raises(RuntimeMissing, match=r"no such runtime\. There are ai-edge-litert, tflite-runtime\."):
        make_interpreter(content, 1, "")
    monkeypatch.setenv(INSISTED, OLDER)
    with pytest.raises(
        RuntimeMissing, match=r'Install one: with Python 3\.11, in the checkout, pip install -e "\.\[tflite-runtime'
    ):
        make_interpreter(content, 1, "")
    monkeypatch.delenv(INSISTED)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with pytest.raises(
        RuntimeMissing, match=r"\(ai-edge-litert: .*; tflite-runtime: .*Install one: pip install ai-edge"
    ):
        make_interpreter(content, 1, "")
