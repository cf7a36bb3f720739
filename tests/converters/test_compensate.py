"""Weights rounded in turn: worked by hand, on whole networks, and in the file that comes of it."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from converters.compensate import PLACES, STEPS, compensated, moments, round_in_turn, windows
from converters.convert import exports, prepared
from converters.quantize import quantize
from edge_app.models import assets_dir
from train.source import load_source

Float32 = npt.NDArray[np.float32]
PIXELS = np.random.default_rng(1).integers(0, 256, (300, 28, 28, 1), dtype=np.uint8)


def test_one_weight_makes_up_for_another_whose_input_is_the_same() -> None:
    """The step is 1. Rounding the second weight to 0 loses 0.4, of which the third, whose input is the same but for the
    damping of 0.01, takes 0.4 / 1.01: it becomes 0.796, and so 1."""
    together = np.array([[1, 0, 0], [0, 1, 1], [0, 1, 1]], np.float64)
    weights = np.array([[127], [0.4], [0.4]])
    assert round_in_turn(weights, together).ravel() == pytest.approx([127, 0, 1])
    assert round_in_turn(weights, np.eye(3)).ravel() == pytest.approx([127, 0, 0])  # nothing in common


def test_inputs_of_most_weight_come_first_and_the_largest_weights_stay() -> None:
    """The third input is the largest: its weight is rounded first, and the second makes up for it. The step is 2."""
    squares = np.array([[1, 0, 0], [0, 4, 6], [0, 6, 9]], np.float64)
    weights = np.array([[-254], [2.5], [2.8]])
    # 2.8 -> 2; 0.8 * 6 / (4 + 0.01 * 14 / 3) = 1.186 more for the second: 3.686 -> 4
    assert round_in_turn(weights, squares).ravel() == pytest.approx([-254, 4, 2])
    assert round_in_turn(np.zeros((2, 1)), np.zeros((2, 2))).tolist() == [[0], [0]]
    # Made up for beyond the largest: cut off there.
    assert np.abs(round_in_turn(np.array([[127], [126.6], [0.45]]), np.ones((3, 3)))).max() == 127


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_windows_are_what_the_kernel_meets(padding: str) -> None:
    """Windows times the kernel are outputs of the layer, at places of all parts of each picture."""
    layer = layers.Conv2D(2, (3, 2), padding=padding)
    pictures = np.random.default_rng(1).normal(size=(3, 5, 6, 4)).astype(np.float32)
    outputs = np.asarray(layer(pictures)).reshape(3, -1, 2)
    rows = windows(layer, pictures, np.random.default_rng(0))
    found = (rows @ layer.get_weights()[0].reshape(-1, 2)).reshape(3, PLACES, 1, 2)
    differences = np.abs(found - outputs[:, np.newaxis]).max(axis=-1)  # (3, PLACES, places)
    assert differences.min(axis=-1).max() < 1e-5
    assert len(set(differences.argmin(axis=-1)[0])) > 10


def test_moments_by_hand() -> None:
    layer = layers.Dense(1)
    layer.build((None, 2))
    products, mean = moments(layer, np.array([[1, 2], [3, 0]], np.float32))
    assert products.tolist() == [[5, 1], [1, 2]] and mean.tolist() == [2, 1]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    weights, inputs = random.normal(size=(10, 3)), random.normal(size=(40, 10))
    squares = inputs.T @ inputs / 40
    at_once = round_in_turn(weights, squares)
    monkeypatch.setattr("converters.compensate.BLOCK", 4)
    assert round_in_turn(weights, squares) == pytest.approx(at_once)


def kernels(network: keras.Model) -> Iterator[tuple[layers.Layer, Float32]]:
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D | layers.Dense):
            kernel = layer.get_weights()[0]
            yield layer, kernel.reshape(-1, kernel.shape[-1])


def to_nearest(network: keras.Model) -> keras.Model:
    """A copy with every kernel rounded by itself."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for layer, kernel in kernels(copy):
        step = np.abs(kernel).max(axis=0) / STEPS
        layer.set_weights([(np.rint(kernel / step) * step).reshape(layer.kernel.shape), layer.get_weights()[1]])
    return copy


@pytest.mark.parametrize("name", ["cnn3", "cnn4"])
def test_the_logits_change_less_than_by_rounding_to_nearest(name: str) -> None:
    source = load_source(assets_dir() / "checkpoints" / f"{name}-fashion-mnist.weights.h5")
    network = prepared(source.network, PIXELS)
    before = network.get_weights()
    expected, nearest, found = (
        np.asarray(each(PIXELS.astype(np.float32))["logits"])
        for each in (network, to_nearest(network), compensated(network, PIXELS))
    )
    assert np.abs(found - expected).mean() < 0.6 * np.abs(nearest - expected).mean()
    assert all(map(np.array_equal, network.get_weights(), before))


def test_the_file_has_those_very_steps(tmp_path: Path) -> None:
    source = load_source(assets_dir() / "checkpoints" / "cnn3-fashion-mnist.weights.h5")
    network = prepared(source.network, PIXELS)
    path = tmp_path / "model.tflite"
    path.write_bytes(quantize(exports(network, ["int8"], PIXELS)["int8"], "int8", PIXELS[:20]))
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    held = {
        tensor.size: np.moveaxis(tensor, 0, -1).reshape(-1, len(tensor))
        for detail in interpreter.get_tensor_details()
        if len(detail["quantization_parameters"]["scales"]) > 1 and detail["dtype"] == np.int8
        for tensor in [interpreter.get_tensor(detail["index"])]
    }
    for _, kernel in kernels(compensated(network, PIXELS)):
        steps = kernel / np.abs(kernel).max(axis=0) * STEPS
        assert np.abs(steps - np.rint(steps)).max() < 1e-3
        assert np.array_equal(held[kernel.size], np.rint(steps))
