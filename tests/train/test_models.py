"""The four networks are the article's."""

import keras
import pytest

from train.models import build, build_vgg19_base


@pytest.mark.parametrize(("name", "parameters"), [("cnn1", 693_962), ("cnn3", 241_546), ("cnn4", 1_221_546)])
def test_parameter_counts(name: str, parameters: int) -> None:
    assert build(name).count_params() == parameters


def test_vgg19_base_and_whole() -> None:
    assert build_vgg19_base(32, None).count_params() == 20_024_384
    # Dense512 on 1x1x512 and Dense10: 512 * 512 + 512 + 512 * 10 + 10
    assert build("vgg19", size=32).count_params() == 20_024_384 + 262_656 + 5_130
    # live averages over places: 512 numbers at any size, and 512 * 11 + 11
    assert build("vgg19", size=96, live=True).count_params() == 20_024_384 + 262_656 + 5_643


@pytest.mark.parametrize("name", ["cnn1", "cnn3", "cnn4"])
def test_layers(name: str) -> None:
    convolutions = [layer for layer in build(name).layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == int(name[-1])
    assert {layer.kernel_size for layer in convolutions} == {(3, 3)}
    assert {layer.padding for layer in convolutions} == {"valid"}


def test_outputs_are_logits_and_features() -> None:
    network = build("cnn4", live=True)
    assert {name: output.shape for name, output in network.output.items()} == {
        "logits": (None, 11),
        "features": (None, 128),
    }
