"""A tuned vgg19 is tuned further: from the shipped file, whose weights have 8 bits, or from a run; a CNN goes on."""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from test_run import DATA
from test_vgg19_live import config, lessons

from edge_app.classifier import Classifier
from edge_app.errors import RunError
from edge_app.models import CARD, assets_dir
from train.__main__ import main
from train.models import build, join_vgg19
from train.normalized import cnn_to_train, plain
from train.recipes import Config, best, live, quantization_aware
from train.run import CONFIG, RESULT, WEIGHTS, Inputs, run
from train.source import load_source
from train.tuned import Beginning, begin, begin_cnn, load_tuned
from train.vgg19 import weights_digest
from train.vgg19_live import tune_vgg19

SHIPPED = assets_dir() / "models" / "vgg19.tflite"


def pictures(size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A red garment on blue, the same in blue on red, and coloured noise: uint8 (3, size, size, 3)."""
    red = np.zeros((size, size, 3), np.uint8) + np.array([20, 30, 200], np.uint8)
    red[size // 6 : -size // 6, size // 4 : -size // 4] = [200, 40, 30]
    noise = np.random.default_rng(1).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return np.stack([red, red[..., ::-1], noise])


def disagreement(network: keras.Model) -> float:
    """The mean difference of a network's logits from the shipped file's, as a share of their standard deviation."""
    shipped = Classifier.load(str(SHIPPED))
    shown = pictures(shipped.contract.input.shape[0])
    wanted = shipped.logits(shown)
    found = np.asarray(network(shown.astype(np.float32), training=False)["logits"])
    return float(np.abs(found - wanted).mean() / wanted.std())


def test_the_shipped_vgg19_says_the_same_in_float32() -> None:
    size = Classifier.load(str(SHIPPED)).contract.input.shape[0]
    beginning = begin(size, 1, None, SHIPPED)
    assert beginning.base is not None and beginning.head is not None
    assert beginning.name == "vgg19"
    network = join_vgg19(beginning.base, beginning.head)
    assert beginning.digests == {"start vgg19": weights_digest(network)}
    assert disagreement(network) < 0.05
    first = beginning.base.layers[-1].get_layer("block1_conv1")
    kernel, bias = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], bias])  # red for blue
    assert disagreement(network) > 0.05


def test_a_converted_vgg19_is_read_back_with_how_it_came_about(tmp_path: Path) -> None:
    path = copy_of_shipped(tmp_path)
    known = json.loads(path.with_suffix(CARD).read_text(encoding="utf-8"))
    source = load_source(path)
    assert (source.name, source.is_live, source.is_run) == ("vgg19", True, False)
    assert source.config == Config.from_json(known["config"])
    assert (source.config.model, source.config.size, source.config.data) == ("vgg19", 128, known["contract"]["data"])
    assert source.network.count_params() == source.result["parameters"] == known["training"]["parameters"]
    assert source.result["test"] == {"accuracy": known["float32_test_accuracy"]}
    written = json.dumps(known | {"training": {}})
    path.with_suffix(CARD).write_text(written, encoding="utf-8")
    with pytest.raises(RunError, match=r"cannot be read back \(its result lacks backend, best_epoch"):
        load_source(path)
    written = json.dumps(known | {"config": known["config"] | {"size": 64}})
    path.with_suffix(CARD).write_text(written, encoding="utf-8")
    with pytest.raises(RunError, match=r"cannot be read back \(card and contract disagree\)"):
        load_source(path)
    known["contract"]["sha256"] = "0" * 64
    path.with_suffix(CARD).write_text(json.dumps(known), encoding="utf-8")
    with pytest.raises(RunError, match=r"cannot be read back \(vgg19\.card\.json is of another file\)\. Beside it"):
        load_source(path)
    path.with_suffix(CARD).unlink()
    with pytest.raises(RunError, match=r"cannot be read back .*card\.json"):
        load_source(path)
    path.write_bytes(b"")
    with pytest.raises(RunError, match="its contract says"):
        load_source(path)


def test_one_that_was_tuned_keeps_its_head() -> None:
    recipe = live("vgg19", on_gpu=False)
    assert recipe.tuning is not None and recipe.tuning.head_epochs == 1
    assert Beginning(build("cnn1")).shortened(recipe) == recipe
    shortened = Beginning(build("cnn1"), build("cnn1")).shortened(recipe)
    assert shortened == dataclasses.replace(recipe, tuning=dataclasses.replace(recipe.tuning, head_epochs=0))
    started = Config("vgg19", shortened, 1, 128, {"start vgg19": "12"}, start="vgg19")
    assert Config.from_json(json.loads(json.dumps(started.to_json()))) == started


def test_it_goes_on_from_a_run_of_another_size_with_its_head(tmp_path: Path) -> None:
    before = kept_run(config(on_gpu=False), tmp_path)
    _, base, head = load_tuned(tmp_path, 64, 1)
    assert base.input_shape == (None, 64, 64, 3)
    assert all(map(np.array_equal, join_vgg19(base, head).get_weights(), before))

    beginning = begin(32, 1, None, tmp_path)
    assert beginning.name == "vgg19-live" and beginning.base is not None
    recipe = beginning.shortened(dataclasses.replace(config(on_gpu=False).recipe, learning_rate=1e-6))
    again = dataclasses.replace(config(on_gpu=False), recipe=recipe)
    trained = tune_vgg19(again, lessons(), tmp_path / "on", beginning.base, head=beginning.head)
    assert not (tmp_path / "on" / "head").exists()
    after = trained.network.get_weights()
    same = [np.array_equal(one, other) for one, other in zip(before, after, strict=True)]
    frozen = 2 * (2 + 2 + 4)  # kernels and biases of blocks 1 to 3
    assert all(same[:frozen]) and not any(same[frozen::2])  # a bias may not move
    assert max(float(np.abs(one - other).max()) for one, other in zip(before, after, strict=True)) < 1e-4


def kept_run(live_config: Config, folder: Path) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Makes ``folder`` a run of fresh weights; they, rounded to float16, as whatever goes on from a run sees them."""
    record = json.loads((assets_dir() / "checkpoints" / "cnn1.json").read_text())
    (folder / CONFIG).write_text(json.dumps(live_config.to_json()))
    (folder / RESULT).write_text(json.dumps(record["result"]))
    build("vgg19", live_config.size, live=True).save_weights(folder / WEIGHTS)
    return list(load_source(folder).network.get_weights())


def copy_of_shipped(folder: Path, **changes: object) -> Path:
    """vgg19.tflite and its card with another contract."""
    path = folder / "vgg19.tflite"
    for suffix in (".tflite", CARD):
        path.with_suffix(suffix).write_bytes(SHIPPED.with_suffix(suffix).read_bytes())
    path.with_suffix(".json").write_text(
        json.dumps(json.loads(SHIPPED.with_suffix(".json").read_text()) | changes), encoding="utf-8"
    )
    return path


def test_a_cnn_goes_on_from_a_checkpoint_without_dropout() -> None:
    path = assets_dir() / "checkpoints" / "cnn3.weights.h5"
    beginning = begin_cnn("cnn3", live("cnn3", on_gpu=False), 1, path)
    kept = load_source(path).network
    assert beginning.name == "cnn3-live" and beginning.digests == {"start cnn3-live": weights_digest(kept)}
    recipe = beginning.shortened(live("cnn3", on_gpu=False))
    assert (recipe.augmented_epochs, recipe.final_epochs, recipe.dropout_epochs) == (12, 8, 0)
    assert recipe.learning_rate == 0.001
    assert beginning.shortened(live("cnn1", on_gpu=False)).dropout_epochs is None  # it keeps what little it has
    assert not recipe.normalized  # as it learned before
    recipe = dataclasses.replace(beginning, normalized=True).shortened(live("cnn3", on_gpu=False))
    assert recipe.normalized
    going_on = Config("cnn3", recipe, 1, 28, {})
    pixels = np.random.default_rng(1).integers(0, 256, (50, 28, 28, 1)).astype(np.float32)
    network = plain(cnn_to_train(going_on, beginning.network, lambda: pixels), build("cnn3", live=True))
    for found, expected in zip(network.get_weights(), kept.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)
    rounded = dataclasses.replace(going_on, recipe=quantization_aware(recipe))
    network = cnn_to_train(rounded, beginning.network, lambda: pixels)
    assert all(map(np.array_equal, network.get_weights(), kept.get_weights()))
    fresh = cnn_to_train(rounded, None, lambda: pixels)
    assert not np.array_equal(fresh.get_weights()[0], kept.get_weights()[0])


@pytest.mark.parametrize("is_rounded", [False, True])
def test_a_cnn_for_fashion_mnist_goes_on_on_changed_images(tmp_path: Path, is_rounded: bool) -> None:
    path = assets_dir() / "checkpoints" / "cnn1-fashion-mnist.weights.h5"
    beginning = begin_cnn("cnn1", best("cnn1", on_gpu=False), 1, path)
    recipe = beginning.shortened(best("cnn1", on_gpu=False))
    assert (recipe.epochs, recipe.augmented_epochs, recipe.final_epochs) == (0, 32, 8)
    assert (recipe.learning_rate, recipe.normalized) == (0.001, False)
    if is_rounded:
        recipe = quantization_aware(recipe)
    still = dataclasses.replace(recipe, augmented_epochs=1, final_epochs=0, learning_rate=1e-12)
    config = Config("cnn1", still, 1, 28, beginning.digests, start=beginning.name)
    result = run(config, Inputs(DATA, start=beginning.network), tmp_path)
    assert result["best_epoch"] == 1
    kept = load_source(path).network
    for found, expected in zip(load_source(tmp_path).network.get_weights(), kept.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_cnn_goes_on_from_its_like_alone() -> None:
    checkpoints, recipe = assets_dir() / "checkpoints", live("cnn3", on_gpu=False)
    with pytest.raises(RunError, match=r"is cnn1-live: cnn3 by --recipe live does not go on from it\. Name a run"):
        begin_cnn("cnn3", recipe, 1, checkpoints / "cnn1.weights.h5")
    with pytest.raises(RunError, match="is cnn3-best: cnn3 by --recipe live does not go on from it"):
        begin_cnn("cnn3", recipe, 1, checkpoints / "cnn3-fashion-mnist.weights.h5")
    with pytest.raises(RunError, match=r"does not go on from a \.tflite: name its run, or assets"):
        begin_cnn("cnn3", recipe, 1, assets_dir() / "models" / "cnn3.tflite")
    with pytest.raises(RunError, match=r"name its run, or assets/checkpoints/cnn3-fashion-mnist\.weights\.h5, with"):
        begin_cnn("cnn3", best("cnn3", on_gpu=False), 1, assets_dir() / "models" / "cnn3-fashion-mnist.tflite")
    with pytest.raises(RunError, match=r"with seed 1, .* Go on with --seed 1"):
        begin_cnn("cnn3", recipe, 2, checkpoints / "cnn3.weights.h5")


def test_what_cannot_be_tuned_further_is_refused(tmp_path: Path) -> None:
    models = assets_dir() / "models"
    with pytest.raises(RunError, match=r"cnn4\.tflite is cnn4, int8: of \.tflite files only .* is read back\."):
        load_tuned(models / "cnn4.tflite", 96, 1)
    with pytest.raises(RunError, match="cannot be tuned further: it is cnn1-live"):
        load_tuned(assets_dir() / "checkpoints" / "cnn1.weights.h5", 96, 1)
    with pytest.raises(RunError, match="not a complete run or checkpoint"):
        load_tuned(tmp_path, 96, 1)
    with pytest.raises(RunError, match=r"nowhere: not found\. Name the folder of a run, or a \.tflite"):
        load_tuned(tmp_path / "nowhere", 96, 1)
    with pytest.raises(RunError, match=r"with seed 1, .* Go on with --seed 1"):
        load_tuned(SHIPPED, 96, 2)
    with pytest.raises(RunError, match=r"is vgg19, float16: of \.tflite files only an int8 one"):
        load_tuned(copy_of_shipped(tmp_path, quantization="float16"), 96, 1)
    labels = list(reversed(Classifier.load(str(SHIPPED)).contract.labels))
    with pytest.raises(RunError, match="with today's classes, is read back"):
        load_tuned(copy_of_shipped(tmp_path, labels=labels), 96, 1)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["cnn4"], "--start-from is for cnn1, cnn3 and cnn4 by --recipe live or best, vgg19 by live"),
        (["vgg19"], "--start-from is for cnn1, cnn3 and cnn4 by --recipe live or best, vgg19 by live"),
        (["vgg19", "--recipe", "live", "--backbone-weights", "x"], "leave one out"),
        (["vgg19", "--recipe", "live", "--quantization-aware"], "--quantization-aware is for cnn1, cnn3 and cnn4 with"),
        (["cnn3", "--recipe", "live", "--quantization-aware", "--mixed-precision", "bfloat16"], "computes in float32"),
    ],
)
def test_only_a_model_for_cameras_starts_from_another(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*argv, "--start-from", str(SHIPPED)]) == 2
    assert words in capsys.readouterr().err
