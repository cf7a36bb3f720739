"""What the layers make of a picture: on networks made by hand, and the same as the network itself says."""

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import layers
from PIL import Image

from edge_app.errors import ModelNotFound, RunError
from edge_app.images import decode_file
from edge_app.models import assets_dir
from edge_app.preprocess import frame_to_input
from train.map_plots import Seen, grid, plot_layer, silent
from train.maps import activations, chosen, find_model, main
from train.models import build
from train.source import input_spec, load_source

DRESS = assets_dir() / "examples" / "dress.png"


def edges() -> keras.Model:
    """Two 3x3 kernels on raw pixels: what is right less what is left, and the pixel itself."""
    pixels = keras.Input((3, 4, 1), name="pixels")
    conv = layers.Conv2D(2, 3, activation="relu")
    network = keras.Model(pixels, {"logits": layers.Dense(1, name="logits")(layers.Flatten()(conv(pixels)))})
    kernel = np.zeros((3, 3, 1, 2), np.float32)
    kernel[1, :, 0, 0] = (-1, 0, 1)
    kernel[1, 1, 0, 1] = 1
    conv.set_weights([kernel, np.zeros(2, np.float32)])
    return network


def test_a_convolution_by_hand() -> None:
    pixels = np.zeros((3, 4, 1), np.uint8)
    pixels[1, :, 0] = (1, 2, 9, 4)
    found = activations(edges(), pixels)
    assert [(layer.name, layer.is_convolution) for layer in found] == [
        *(("conv1", True), ("flatten1", False), ("logits", False))
    ]
    assert found[0].values.tolist() == [[[8, 2], [2, 9]]]
    assert found[1].values.tolist() == [8, 2, 2, 9]


def test_layers_are_counted_in_each_network_anew() -> None:
    for _ in range(2):
        names = [layer.name for layer in activations(build("cnn3"), np.zeros((28, 28, 1), np.uint8))]
        assert names == [
            *("scale", "conv1", "pool1", "dropout1", "conv2", "pool2", "dropout2", "conv3", "dropout3"),
            *("flatten1", "features", "dropout4", "logits"),
        ]


def test_vgg19_is_looked_into() -> None:
    found = activations(build("vgg19", 32, live=True), np.zeros((32, 32, 3), np.uint8))
    convolutions = chosen(found, None)
    assert len(convolutions) == 16
    assert (convolutions[0].name, convolutions[0].values.shape) == ("block1_conv1", (32, 32, 64))
    assert found[-1].name == "logits" and found[-1].values.shape == (11,)


def same(network: keras.Model, other: keras.Model, pixels: npt.NDArray[np.uint8]) -> bool:
    """Whether what the layers of the one give last is what the other answers."""
    last = activations(network, pixels)[-1].values
    return np.allclose(last, np.asarray(other(pixels[np.newaxis].astype(np.float32))["logits"])[0], atol=1e-5)


def test_the_last_layer_says_what_the_network_says() -> None:
    source, spoiled = (load_source(find_model("cnn4")) for _ in range(2))
    pixels = frame_to_input(decode_file(DRESS), input_spec(source))
    assert same(source.network, source.network, pixels)
    norm = next(layer for layer in spoiled.network.layers if isinstance(layer, layers.BatchNormalization))
    norm.gamma.assign(1.1 * norm.gamma)
    assert not same(source.network, spoiled.network, pixels)


def test_channels_stand_in_a_grid() -> None:
    sheet = grid(np.arange(3, dtype=np.float32).reshape(1, 1, 3))
    assert np.array_equal(sheet, [[0, np.nan, 1], [np.nan] * 3, [2, np.nan, np.nan]], equal_nan=True)
    assert grid(np.ones((28, 28, 32), np.float32)).shape == (4 * 30 - 2, 8 * 30 - 2)
    assert silent(np.array([[[0, 1, 0]], [[0, 0, 0]]], np.float32)) == 2


@pytest.mark.parametrize("shape", [(5, 4, 3), (1, 1, 1), (7,), (11,)])
def test_any_shape_is_drawn(tmp_path: Path, shape: tuple[int, ...]) -> None:
    seen = Seen("cnn9", np.zeros((9, 5, 3), np.uint8), np.zeros((4, 4, 1), np.uint8))
    for name, values in (("much", np.ones(shape)), ("nothing", np.zeros(shape)), ("less", -np.ones(shape))):
        plot_layer(seen, name, values.astype(np.float32), tuple("abcdefghijk"), tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as drawn:
            assert min(drawn.size) > 500


def test_the_command_draws_all_convolutions_or_one_layer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(DRESS), "--model", "cnn1", "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["conv1.png"]
    assert capsys.readouterr().out.split()[:6] == ["conv1", "26", "x", "26", "x", "32"]
    assert main([str(DRESS), "--model", "cnn1", "--out", str(tmp_path), "--layer", "features"]) == 0
    assert (tmp_path / "features.png").is_file()


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(RunError, match=r"no layer 'conv9'\. Name one of scale, conv1, pool1, .* with --layer"):
        main([str(DRESS), "--model", "cnn1", "--layer", "conv9"])
    with pytest.raises(ModelNotFound, match=r"no trained network 'cnn9'.*cnn1, cnn1-fashion-mnist"):
        find_model("cnn9")
    with pytest.raises(RunError, match="not a complete run"):
        load_source(find_model(str(assets_dir())))
    assert find_model(str(assets_dir())) == assets_dir()
