"""A whole run on few images: what it leaves, what it refuses, what it does not do twice."""

import csv
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from filelock import FileLock

from edge_app.errors import RunError
from edge_app.labels import FASHION
from train.data import FashionMnist, Split
from train.models import build_vgg19_base
from train.recipes import Config, article, best
from train.run import Inputs, open_run, read_config, run, summary, write_weights
from train.source import load_source
from train.vgg19 import features, load_base, weights_digest

ROOT = Path(__file__).parents[2]


def tiny_split(count: int, seed: int) -> Split:
    """Each class is a bright square at a place of its own."""
    labels = np.arange(count, dtype=np.uint8) % 10
    images = np.random.default_rng(seed).integers(0, 40, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[14 * (label // 5) : 14 * (label // 5) + 8, 5 * (label % 5) : 5 * (label % 5) + 6] = 250
    return Split(images, labels)


DATA = FashionMnist(tiny_split(400, 1), tiny_split(50, 2), tiny_split(60, 3), {"made.gz": "00"})


def tiny_config(model: str, size: int) -> Config:
    recipe = article(model)
    augmented, final = min(recipe.augmented_epochs, 1), min(recipe.final_epochs, 1)
    shorter = dataclasses.replace(recipe, epochs=3, augmented_epochs=augmented, final_epochs=final, batch_size=32)
    return Config(model, shorter, 1, size, DATA.digests)


def test_run_leaves_everything_and_is_not_done_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tiny_config("cnn3", 28)
    result = run(config, Inputs(DATA), tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("config.json", "model.weights.h5", "result.json", "history.csv", "state.npz"),
        *("curves.png", "confusion.png", "right.png", "mistakes.png", "report.html", "tensorboard", ".lock"),
    }
    assert read_config(tmp_path / "run") == config
    assert result["parameters"] == 241_546
    assert sum(report["count"] for report in result["test"]["classes"]) == 60
    assert np.sum(result["test"]["confusion"]) == 60
    with (tmp_path / "run" / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5"]
    best = max(rows, key=lambda row: float(row["val_accuracy"]))
    assert result["best_epoch"] == int(best["epoch"])
    assert result["val_accuracy"] == float(best["val_accuracy"])
    assert result["training_s"] == pytest.approx(sum(float(row["seconds"]) for row in rows), abs=0.1)
    assert all(label in summary(result, tmp_path) for label in FASHION)
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert f"{result['test']['accuracy']:.2%} of the Fashion-MNIST test images right" in report
    assert report.count("data:image/png;base64,") == 4 and "http" not in report
    assert all(f"<td>{label}</td>" in report for label in FASHION)
    capsys.readouterr()
    assert run(config, Inputs(DATA), tmp_path / "run") == json.loads((tmp_path / "run" / "result.json").read_text())
    assert "is complete; delete it to train again" in capsys.readouterr().out
    (tmp_path / "run" / "result.json").write_text("{")
    with pytest.raises(RunError, match=r"result\.json: damaged .* Delete it: .* without training anew"):
        run(config, Inputs(DATA), tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    assert run(config, Inputs(DATA), tmp_path / "run") == result


def test_a_normalized_run_leaves_the_network_without_normalizations(tmp_path: Path) -> None:
    config = tiny_config("cnn3", 28)
    config = dataclasses.replace(config, recipe=dataclasses.replace(config.recipe, normalized=True))
    result = run(config, Inputs(DATA), tmp_path / "run")
    network = load_source(tmp_path / "run").network  # its weights have 16 bits
    assert result["parameters"] == network.count_params() == 241_546
    pixels = DATA.test.images[..., np.newaxis].astype(np.float32)
    named = np.asarray(network(pixels, training=False)["logits"]).argmax(axis=-1)
    assert np.mean(named == DATA.test.labels) == pytest.approx(result["test"]["accuracy"], abs=0.02)


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")  # Keras goes on
def test_a_runs_damaged_weights_are_noticed(tmp_path: Path) -> None:
    """Zeros anywhere in the file: HDF5 reads most of them without a word, and fails in ways of its own on others."""
    run(tiny_config("cnn1", 28), Inputs(DATA), tmp_path)
    load_source(tmp_path)
    weights = tmp_path / "model.weights.h5"
    whole = weights.read_bytes()
    assert len(whole) > 2_000_000
    for start in (0, 1_000_000, 2_000_000, len(whole) - 4096):
        weights.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
        with pytest.raises(RunError, match="not a complete run or checkpoint"):
            load_source(tmp_path)


def test_weights_that_do_not_fit_on_the_disk_are_an_error_of_it(tmp_path: Path) -> None:
    class Full:
        @staticmethod
        def save_weights(path: Path) -> None:
            raise RuntimeError("Disable slist on flush dest failure failed")

    with pytest.raises(OSError, match="HDF5: Disable slist"):
        write_weights(tmp_path / "model.weights.h5", Full)
    assert list(tmp_path.iterdir()) == []


def test_two_processes_do_not_share_a_run(tmp_path: Path) -> None:
    with FileLock(tmp_path / ".lock"), pytest.raises(RunError, match="another process is training in"):
        run(tiny_config("cnn1", 28), Inputs(DATA), tmp_path)
    assert not (tmp_path / "config.json").exists()


def test_another_configuration_is_refused(tmp_path: Path) -> None:
    other = dataclasses.replace(tiny_config("cnn1", 28), seed=2)
    for config in (other, tiny_config("cnn1", 28)):  # nothing was trained: the second takes the first's place
        assert not open_run(tmp_path, config)
        assert read_config(tmp_path) == config
    (tmp_path / "state.npz").write_bytes(b"")
    assert not open_run(tmp_path, tiny_config("cnn1", 28))
    with pytest.raises(RunError, match=r"holds a run of another configuration: seed \d there, \d now\. Name another"):
        open_run(tmp_path, other)
    on_gpu, here = (dataclasses.replace(other, recipe=best("cnn1", is_gpu)) for is_gpu in (True, False))
    assert not open_run(tmp_path / "gpu", on_gpu)
    (tmp_path / "gpu" / "state.npz").write_bytes(b"")
    words = r"recipe\.augmented_epochs 200 there, 60 now\. \(With a GPU some recipes are longer\.\)"
    with pytest.raises(RunError, match=words):
        open_run(tmp_path / "gpu", here)
    (tmp_path / "config.json").write_text('{"model": "cnn1"}')
    with pytest.raises(RunError, match="not the configuration of a run"):
        open_run(tmp_path, tiny_config("cnn1", 28))


@pytest.mark.parametrize(
    ("model", "size", "message"), [("cnn5", 28, "cnn5"), ("cnn1", 32, "28x28"), ("vgg19", 31, "32")]
)
def test_impossible_configurations_are_refused(model: str, size: int, message: str) -> None:
    with pytest.raises(RunError, match=message):
        dataclasses.replace(tiny_config("cnn1", 28), model=model, size=size)
    with pytest.raises(RunError, match="unknown precision 'float8'"):
        dataclasses.replace(tiny_config("cnn1", 28), precision="float8")


def test_unknown_key_is_an_error() -> None:
    fields = tiny_config("cnn1", 28).to_json()
    assert Config.from_json(fields) == tiny_config("cnn1", 28)
    with pytest.raises(RunError, match="speed"):
        Config.from_json(fields | {"speed": 1})
    older = {name: value for name, value in fields["recipe"].items() if name not in ("rounded", "normalized")}
    assert Config.from_json(fields | {"recipe": older}) == tiny_config("cnn1", 28)


def test_vgg19_preprocessing_is_keras_own() -> None:
    """RGB 0..255 -> BGR less the channel means, as keras.applications.vgg19.preprocess_input does it."""
    base = build_vgg19_base(32, None)
    entry = keras.Model(base.input, base.get_layer("scale").output)
    pixels = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    expected = keras.applications.vgg19.preprocess_input(pixels.copy())
    assert np.asarray(entry(pixels)) == pytest.approx(expected, abs=1e-4)


def test_vgg19_learns_from_kept_features(tmp_path: Path) -> None:
    weights = tmp_path / "base.weights.h5"
    keras.utils.set_random_seed(1)
    keras.applications.VGG19(weights=None, include_top=False).save_weights(weights)
    base = load_base(32, str(weights))
    result = run(tiny_config("vgg19", 32), Inputs(DATA, base), tmp_path / "run")
    assert result["parameters"] == 20_024_384 + 262_656 + 5_130

    kept = tmp_path / "run" / "features" / "val-00000.npy"
    maps = np.load(kept)
    assert (maps.shape, maps.dtype) == ((50, 1, 1, 512), np.float16)
    np.save(kept, np.full_like(maps, 7))
    assert np.all(features(base, DATA.val.images, kept.parent, "val") == 7)  # kept: not computed again
    kept.unlink()
    assert np.array_equal(features(base, DATA.val.images, kept.parent, "val"), maps)
    kept.write_bytes(b"")
    with pytest.raises(RunError, match=r"val-00000\.npy: damaged"):
        features(base, DATA.val.images, kept.parent, "val")

    digest = weights_digest(base)
    assert digest == weights_digest(load_base(32, str(weights)))
    kernel = base.get_layer("vgg19").get_layer("block5_conv4").kernel
    kernel.assign(kernel + 1)
    assert digest != weights_digest(base)


def test_backbone_weights_must_be_there_and_fit(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not found"):
        load_base(32, str(tmp_path / "absent.weights.h5"))
    foreign = tmp_path / "foreign.weights.h5"
    foreign.write_bytes(b"no weights")
    with pytest.raises(RunError, match="could not be loaded"):
        load_base(32, str(foreign))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--data", "nowhere"), "nowhere: no such folder"),
        (("--size", "32"), "cnn1 takes 28x28 pixels, not 32"),
        (("--seed", "-1"), "-1: expected a whole number, 0 or more"),
        (("--seed", "4294967296"), "4294967296: expected a whole number below 2**32"),
    ],
)
def test_command_line_says_what_is_wrong(options: tuple[str, str], words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "train", "cnn1", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
    assert "error: " in done.stderr.splitlines()[-1]


def test_batch_normalizations_end_with_the_statistics_of_the_images_as_they_are(tmp_path: Path) -> None:
    config = tiny_config("cnn4", 28)
    run(config, Inputs(DATA), tmp_path)
    network = load_source(tmp_path).network
    convolution, norm = network.layers[2:4]
    seen = np.asarray(keras.Model(network.input, convolution.output)(DATA.train.images[..., np.newaxis]))
    assert np.asarray(norm.moving_mean) == pytest.approx(seen.mean(axis=(0, 1, 2)), rel=1e-2, abs=1e-3)  # in float16
    assert np.asarray(norm.moving_variance) == pytest.approx(seen.var(axis=(0, 1, 2)), rel=1e-2, abs=1e-3)

    before = network.get_weights()
    (tmp_path / "result.json").unlink()  # as if killed in the end
    run(config, Inputs(DATA), tmp_path)
    assert all(map(np.array_equal, before, load_source(tmp_path).network.get_weights()))
