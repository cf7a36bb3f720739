"""A tuned vgg19 is tuned further: from the shipped file, whose weights have 8 bits, or from a run."""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from test_vgg19_live import config, lessons

from edge_app.classifier import Classifier
from edge_app.errors import RunError
from edge_app.models import assets_dir
from edge_app.preprocess import images_to_input
from train.__main__ import main
from train.models import build, join_vgg19
from train.run import CONFIG, RESULT, WEIGHTS
from train.source import load_source
from train.tuned import load_tuned
from train.vgg19_live import tune_vgg19

SHIPPED = assets_dir() / "models" / "vgg19.tflite"


def pictures(size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Two of one drawn garment, and one of noise: (3, size, size, 3)."""
    garment = np.zeros((2, 28, 28), np.uint8)
    garment[:, 4:24, 8:20] = 180
    noise = np.random.default_rng(1).integers(0, 256, (1, 28, 28), dtype=np.uint8)
    return images_to_input(np.concatenate([garment, noise]), (size, size, 3)).astype(np.uint8)


def disagreement(network: keras.Model) -> float:
    """The mean difference of a network's logits from the shipped file's, as a share of their standard deviation."""
    shipped = Classifier.load(str(SHIPPED))
    shown = pictures(shipped.contract.input.shape[0])
    wanted = shipped.logits(shown)
    found = np.asarray(network(shown.astype(np.float32), training=False)["logits"])
    return float(np.abs(found - wanted).mean() / wanted.std())


def test_the_shipped_vgg19_says_the_same_in_float32() -> None:
    size = Classifier.load(str(SHIPPED)).contract.input.shape[0]
    name, base, head = load_tuned(SHIPPED, size)
    network = join_vgg19(base, head)
    assert name == "vgg19"
    assert disagreement(network) < 0.1
    first = base.layers[-1].get_layer("block1_conv1")
    kernel, bias = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], bias])  # red for blue
    assert disagreement(network) > 0.1


def test_it_goes_on_from_a_run_of_another_size_with_its_head(tmp_path: Path) -> None:
    live = config(on_gpu=False)
    network = build("vgg19", 32, live=True)
    record = json.loads((assets_dir() / "checkpoints" / "cnn1.json").read_text())
    (tmp_path / CONFIG).write_text(json.dumps(dataclasses.replace(live, size=32).to_json()))
    (tmp_path / RESULT).write_text(json.dumps(record["result"]))
    network.save_weights(tmp_path / WEIGHTS)
    name, base, head = load_tuned(tmp_path, 64)
    assert name == "vgg19-live"
    assert base.input_shape == (None, 64, 64, 3)
    rounded = load_source(tmp_path).network.get_weights()  # to float16, as whatever goes on from a run
    assert all(map(np.array_equal, join_vgg19(base, head).get_weights(), rounded))

    tuning = dataclasses.replace(live.recipe.tuning, head_epochs=0)  # type: ignore[type-var]
    tuned = dataclasses.replace(live, recipe=dataclasses.replace(live.recipe, tuning=tuning))
    _, base, head = load_tuned(tmp_path, 32)
    trained = tune_vgg19(tuned, lessons(), tmp_path / "on", base, head=head)
    assert not (tmp_path / "on" / "head").exists()
    lower = [weight for layer in base.layers[-1].layers if layer.name < "block4" for weight in layer.get_weights()]
    assert all(map(np.array_equal, lower, rounded))
    assert not np.array_equal(trained.network.get_weights()[-1], rounded[-1])


def test_what_was_not_tuned_is_refused(tmp_path: Path) -> None:
    models = assets_dir() / "models"
    with pytest.raises(RunError, match=r"cnn4 \(int8\) cannot be tuned further"):
        load_tuned(models / "cnn4.tflite", 96)
    with pytest.raises(RunError, match="cnn1-live cannot be tuned further"):
        load_tuned(assets_dir() / "checkpoints" / "cnn1.weights.h5", 96)
    with pytest.raises(RunError, match="not a complete run or checkpoint"):
        load_tuned(tmp_path, 96)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["cnn4", "--recipe", "live"], "--start-from is for vgg19 by --recipe live"),
        (["vgg19"], "--start-from is for vgg19 by --recipe live"),
        (["vgg19", "--recipe", "live", "--backbone-weights", "x"], "leave one out"),
    ],
)
def test_only_vgg19_for_cameras_starts_from_another(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*argv, "--start-from", str(SHIPPED)]) == 2
    assert words in capsys.readouterr().err
