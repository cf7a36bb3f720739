"""The recipe for the best nets of their size: what it changes, who teaches, and that the teacher stays at home."""

import dataclasses
import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_app.errors import RunError
from edge_app.models import assets_dir
from train.augment import augmentation_layers
from train.data import FashionMnist
from train.models import WIDE, build
from train.recipes import TEACHING, Augmentation, Config, best, recipe_of
from train.run import Inputs, run
from train.source import load_source


def test_the_wide_teacher() -> None:
    network = build(WIDE)
    # Of a group: 9 * into * out, three times 9 * out * out, and into * out for the shortcut.
    groups = [(16, 64), (64, 128), (128, 256)]
    kernels = 9 * 16 + sum(10 * into * out + 27 * out * out for into, out in groups)
    norms = 4 * (sum(into + 3 * out for into, out in groups) + 256)
    assert network.count_params() == kernels + norms + 256 * 10 + 10
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert sum(layer.kernel_size == (3, 3) for layer in convolutions) == 13
    assert len(convolutions) == 16  # with the shortcuts
    assert network.output["features"].shape == (None, 256)
    assert build(WIDE, live=True).output["logits"].shape == (None, 11)


@pytest.mark.parametrize(
    ("name", "model", "words"),
    [
        ("article", WIDE, "wide is not trained by the recipe article. Choose --recipe best or live"),
        ("best", "vgg19", "vgg19 is not trained by the recipe best. Choose --recipe article or live"),
    ],
)
def test_a_recipe_of_another_model_is_refused(name: str, model: str, words: str) -> None:
    with pytest.raises(RunError, match=words):
        recipe_of(name, model, on_gpu=False)


def test_every_second_picture_is_mirrored_and_nothing_else_happens() -> None:
    mirror = keras.Sequential([keras.Input((28, 28, 1)), *augmentation_layers(Augmentation(0, 0, 0, 0, flip=True), 1)])
    pictures = np.random.default_rng(1).integers(0, 256, (200, 28, 28, 1)).astype(np.float32)
    views = np.asarray(mirror(pictures, training=True))
    as_it_was, mirrored = ((views == side).all(axis=(1, 2, 3)) for side in (pictures, pictures[:, :, ::-1]))
    assert (as_it_was ^ mirrored).all()
    assert 70 < mirrored.sum() < 130  # 200 draws: 100, with a standard deviation of 7


def test_wide_teaches_and_is_not_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from test_run import tiny_split

    data = FashionMnist(tiny_split(40, 1), tiny_split(20, 2), tiny_split(20, 3), {})

    config = Config(WIDE, dataclasses.replace(best(WIDE, on_gpu=False), augmented_epochs=1), 1, 28, data.digests)
    run(config, Inputs(data), tmp_path / "wide")
    teacher = load_source(tmp_path / "wide")
    for command in (
        ["converters"],
        ["converters", "benchmark"],
        ["train", "maps", str(assets_dir() / "examples" / "trouser.png"), "--model"],
    ):
        main = importlib.import_module(f"{command[0]}.__main__").main
        assert main([*command[1:], str(tmp_path / "wide")]) == 2
        assert "wide only teaches other networks. Name a run of one of cnn1, cnn3" in capsys.readouterr().err
    recipe = dataclasses.replace(best("cnn1", on_gpu=False), augmented_epochs=1, teaching=TEACHING)
    taught = Config("cnn1", recipe, 1, 28, data.digests, ("wide-best",))
    assert run(taught, Inputs(data, teachers=(teacher.network,)), tmp_path / "cnn1")["name"] == "cnn1-best"
    assert load_source(tmp_path / "cnn1").name == "cnn1-fashion-mnist"
