"""The classifier refuses what does not fit together, and says what the interpreter says."""

import dataclasses
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app.classifier import Classifier
from edge_app.contract import sha256
from edge_app.errors import ContractError, ModelNotFound
from edge_app.models import assets_dir, contract_path, contracts, default_model
from edge_app.runtime import make_interpreter

SHIPPED = "cnn1-fashion-mnist"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A shipped model in a folder of its own: the path of its contract."""
    for suffix in (".tflite", ".json"):
        shutil.copy(assets_dir() / "models" / f"{SHIPPED}{suffix}", tmp_path)
    return tmp_path / f"{SHIPPED}.json"


def change(contract: Path, **fields: Any) -> None:
    contract.write_text(json.dumps(json.loads(contract.read_text()) | fields))


def test_shipped_models_load_and_fit_their_contracts() -> None:
    names = [contract.name for contract in contracts()]
    assert {"cnn1-fashion-mnist", "cnn3-fashion-mnist", "cnn4-fashion-mnist"} <= set(names)
    for name in names:
        classifier = Classifier.load(name)
        decision = classifier.classify(np.full((24, 32, 3), 255, dtype=np.uint8))
        assert tuple(decision.probs) == classifier.contract.labels
        assert sum(decision.probs.values()) == pytest.approx(1, abs=1e-5)
    assert default_model() == ("cnn4" if "cnn4" in names else "cnn4-fashion-mnist")


def test_unknown_model_names_those_there_are(tmp_path: Path) -> None:
    for name in ("cnn2", "CNN4", "../models/cnn1-fashion-mnist", ""):
        with pytest.raises(ModelNotFound, match=r"Installed: .*cnn1-fashion-mnist"):
            contract_path(name)
    with pytest.raises(ModelNotFound, match=r"a \.tflite file with its \.json beside it"):
        Classifier.load(str(tmp_path / "none.tflite"))


def test_a_path_that_cannot_be_looked_at_is_no_model() -> None:
    for name in ("n" * 300, "n" * 300 + ".tflite"):
        with pytest.raises(ModelNotFound, match="nnn"):
            contract_path(name)


def test_an_installed_model_has_the_name_of_its_files(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copied.parent / "models").mkdir()
    other = copied.parent / "models" / "other.json"
    for suffix in (".tflite", ".json"):
        shutil.copy(copied.with_suffix(suffix), other.with_suffix(suffix))
    monkeypatch.setattr("edge_app.models.assets_dir", lambda: copied.parent)
    for ask in (contracts, lambda: Classifier.load(default_model()), lambda: Classifier.load("other")):
        with pytest.raises(ContractError, match=rf"other\.json: the model's name is '{SHIPPED}'"):
            ask()
    assert Classifier.load(str(other)).contract.name == SHIPPED  # a path may have any name


def test_another_models_contract_is_no_reason_not_to_classify(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copied.parent / "models").mkdir()
    for suffix in (".tflite", ".json"):
        shutil.copy(assets_dir() / "models" / f"cnn4{suffix}", copied.parent / "models")
    (copied.parent / "models" / "another.json").write_text("{")
    monkeypatch.setattr("edge_app.models.assets_dir", lambda: copied.parent)
    assert Classifier.load(default_model()).contract.name == "cnn4"
    with pytest.raises(ContractError, match=r"another\.json: not a model's contract"):
        contracts()


def test_what_is_compared_is_what_runs(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file changes as soon as it has been read."""
    picture = np.full((24, 32, 3), 255, dtype=np.uint8)
    expected = Classifier.load(copied).classify(picture)
    read = Path.read_bytes

    def read_and_change(path: Path) -> bytes:
        content = read(path)
        path.write_bytes(bytes(len(content)))
        return content

    monkeypatch.setattr(Path, "read_bytes", read_and_change)
    assert Classifier.load(copied).classify(picture) == expected
    with pytest.raises(ContractError, match="SHA-256"):
        Classifier.load(copied)


def test_changed_file_is_refused(copied: Path) -> None:
    Classifier.load(str(copied))
    with copied.with_suffix(".tflite").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ContractError, match=r"SHA-256 .*, its contract says .*\. Install it again"):
        Classifier.load(str(copied))
    copied.with_suffix(".tflite").unlink()
    with pytest.raises(ContractError, match="not found beside its contract"):
        Classifier.load(str(copied))


def test_foreign_file_is_refused(copied: Path) -> None:
    copied.with_suffix(".tflite").write_bytes(b"this is no model")
    change(copied, sha256=sha256(copied.with_suffix(".tflite")))
    with pytest.raises(ContractError, match="not a model this runtime can run"):
        Classifier.load(str(copied))


def test_other_shape_or_label_count_is_refused(copied: Path) -> None:
    fields = json.loads(copied.read_text())
    change(copied, input=fields["input"] | {"shape": [32, 32, 1]})
    with pytest.raises(ContractError, match=r"the file takes \(28, 28, 1\), its contract says \(32, 32, 1\)"):
        Classifier.load(str(copied))
    change(copied, input=fields["input"], labels=fields["labels"][:9])
    with pytest.raises(ContractError, match="the file gives 10 logits for 9 labels"):
        Classifier.load(str(copied))


def test_logits_are_the_interpreters_own() -> None:
    """By hand: int8 codes are pixel - 128 (scale 1), logits (code - zero point) * scale."""
    classifier = Classifier.load(SHIPPED)
    pixels = np.random.default_rng(1).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8)
    interpreter, _ = make_interpreter((assets_dir() / "models" / f"{SHIPPED}.tflite").read_bytes(), 1, "")
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()
    assert taken["quantization"] == (1.0, -128)
    detail = given[classifier.contract.outputs["logits"]]
    scale, zero_point = detail["quantization"]
    for image, logits in zip(pixels, classifier.logits(pixels), strict=True):
        interpreter.set_tensor(taken["index"], (image.astype(np.int16) - 128).astype(np.int8)[np.newaxis])
        interpreter.invoke()
        codes = interpreter.get_tensor(detail["index"])[0].astype(np.float64)
        assert logits == pytest.approx((codes - zero_point) * scale, rel=1e-6)
    assert classifier.infer(pixels).features.shape == (2, 128)


@pytest.mark.parametrize("threads", [0, -5])
def test_no_threads_are_refused(threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads is {threads}, expected 1 or more"):
        Classifier.load(default_model(), threads)


def test_no_images_give_empty_arrays() -> None:
    outputs = Classifier.load(SHIPPED).infer(np.zeros((0, 28, 28, 1), np.uint8))
    assert (outputs.logits.shape, outputs.features.shape) == ((0, 10), (0, 128))
    assert outputs.logits.dtype == outputs.features.dtype == np.float32


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((28, 28, 1), np.uint8), np.zeros((1, 28, 28, 3), np.uint8), np.zeros((1, 28, 28, 1), np.float32)],
)
def test_other_pixels_are_refused(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \('N', 28, 28, 1\)"):
        Classifier.load(SHIPPED).logits(pixels)


def test_threads_take_turns() -> None:
    """Eight threads on one classifier get what one thread gets."""
    classifier = Classifier.load(SHIPPED)
    pixels = np.random.default_rng(2).integers(0, 256, (8, 40, 28, 28, 1), dtype=np.uint8)
    expected = [classifier.logits(batch) for batch in pixels]
    found: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: classifier.logits(pixels[i])})) for i in range(len(pixels))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert all(np.array_equal(found[i], expected[i]) for i in range(len(pixels)))


def test_who_asks_about_one_picture_does_not_wait_for_who_asks_about_thousands() -> None:
    classifier = Classifier.load(SHIPPED)
    pixels = np.zeros((20_000, 28, 28, 1), dtype=np.uint8)
    long = threading.Thread(target=classifier.infer, args=(pixels,), daemon=True)
    long.start()
    time.sleep(0.05)
    for _ in range(20):
        classifier.infer(pixels[:1])
    assert long.is_alive()
    long.join(timeout=60)


def test_contract_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Classifier.load(SHIPPED).contract.name = "other"  # type: ignore[misc]
