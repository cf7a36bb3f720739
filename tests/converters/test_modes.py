"""Each mode of each network for Fashion-MNIST says what the trained one says; one bad layer is found by its name."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pytest
from spoiling import coarse, spoiled

from converters.convert import exports, prepared
from converters.data import Data, calibration_pixels
from converters.layers import LayerError, held_range, layer_errors
from converters.measure import Reference, check, draft_contract, refer
from converters.parity import Parity
from converters.quantize import MODES, export_float32, quantize
from edge_app.classifier import Classifier
from edge_app.errors import ConversionError
from edge_app.models import assets_dir
from train.data import load_fashion_mnist
from train.files import write_json
from train.paths import Paths
from train.source import Source, input_spec, load_source

CHECKPOINTS = sorted((assets_dir() / "checkpoints").glob("*-fashion-mnist.weights.h5"))


@dataclass(frozen=True)
class Exported:
    """A trained network on its way."""

    source: Source
    network: keras.Model
    float32_models: dict[str, bytes]
    calibration: npt.NDArray[np.uint8]
    reference: Reference


@pytest.fixture(scope="module", params=CHECKPOINTS, ids=lambda path: path.name.removesuffix(".weights.h5"))
def exported(request: pytest.FixtureRequest, data_dir: Path) -> Exported:
    source = load_source(request.param)
    data = Data(load_fashion_mnist(str(data_dir), 1), Paths((), ()))
    calibration = calibration_pixels(data, input_spec(source), False, 1)[::2]
    network = prepared(source.network, calibration)
    float32_models = exports(network, MODES, calibration)
    return Exported(source, network, float32_models, calibration, refer(source, network, data))


def checked(exported: Exported, mode: str, float32_model: bytes, folder: Path) -> tuple[Parity, list[LayerError]]:
    """Quantizes into ``folder``, and compares with the trained network."""
    path = folder / "model.tflite"
    path.write_bytes(quantize(float32_model, mode, exported.calibration))
    write_json(path.with_suffix(".json"), draft_contract(exported.source, mode, path).to_json())
    return check(mode, Classifier.load(str(path)), path, exported.reference, debug=True)


@pytest.mark.parametrize("mode", MODES)
def test_it_says_what_the_trained_network_says(exported: Exported, mode: str, tmp_path: Path) -> None:
    parity, layers = checked(exported, mode, exported.float32_models[mode], tmp_path)
    assert parity.count == 1000 and parity.agreement >= 0.985
    assert [layer.name for layer in layers][-2:] == ["features", "logits"]
    assert all(layer.error < 0.03 for layer in layers)


@pytest.mark.parametrize("mode", ["float32", "float16", "int8"])
def test_a_bad_layer_is_named(exported: Exported, mode: str, tmp_path: Path) -> None:
    """The last convolution's filters have changed places."""
    last = [layer.name for layer in exported.network.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    bad = export_float32(spoiled(exported.network, last))
    with pytest.raises(ConversionError, match=rf"{mode} does not say what .* the worst first: {last} "):
        checked(exported, mode, bad, tmp_path)


def test_coarse_weights_are_not_float16(exported: Exported, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="float16 does not say what"):
        checked(exported, "float16", export_float32(coarse(exported.network)), tmp_path)


def test_logits_that_cannot_be_told_apart_are_found(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The range ends where the greatest logits begin: most pictures' likeliest names are cut off to the same value."""
    monkeypatch.setattr("converters.quantize.telling_range", lambda logits: (-4.0, 0.0))
    with pytest.raises(ConversionError, match="int8 does not say what"):
        checked(exported, "int8", exported.float32_models["int8"], tmp_path)


def test_the_same_bytes_each_time(exported: Exported) -> None:
    assert exports(exported.network, MODES, exported.calibration) == exported.float32_models
    first, again = (quantize(exported.float32_models["int8"], "int8", exported.calibration[:50]) for _ in range(2))
    assert first == again


def test_a_layer_is_given_what_the_one_before_gave(tmp_path: Path) -> None:
    """Exact but for float32: the file's second layer doubles where the network's does not, so its error is its mean."""
    pixels = keras.Input((2, 2, 1), name="pixels")
    flat = keras.layers.Flatten()(keras.layers.Conv2D(1, 1, name="first")(pixels))
    network = keras.Model(pixels, {"logits": keras.layers.Dense(2, name="logits")(flat)})
    network.set_weights(
        [np.full((1, 1, 1, 1), 0.5), np.zeros(1), np.array([[1, 0], [0, 1], [0, 0], [0, 0]]), np.zeros(2)]
    )
    path = tmp_path / "model.tflite"
    path.write_bytes(export_float32(network))
    images = np.array([[2, 4, 0, 0], [6, 8, 0, 0]], np.uint8).reshape(2, 2, 2, 1)
    assert layer_errors(network, path, images) == [LayerError("first", 0), LayerError("logits", 0)]
    network.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1), *network.get_weights()[2:]])
    first, second = layer_errors(network, path, images)
    # 2 4 0 0, 6 8 0 0 became their halves: mean error 20 / 8 / 2; their standard deviation is 2.9580.
    assert first.error == pytest.approx(1.25 / 2.95804, rel=1e-5)
    assert second.error == 0


def test_what_eight_bits_hold() -> None:
    assert held_range({"quantization": (0.5, -28), "dtype": np.int8}) == (-50, 77.5)
    assert held_range({"quantization": (0.0, 0), "dtype": np.float32}) == (-np.inf, np.inf)
