"""Folding changes the graph and not what it says."""

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import layers

from converters.equalize import equalize, greatest
from converters.fold import Affine, fold_batch_norms, folded
from train.models import build, flattened

PIXELS = np.random.default_rng(1).uniform(0, 255, (4, 28, 28, 1)).astype(np.float32)


def spoil_norms(network: keras.Model, lowest: float) -> None:
    """Gives every batch normalization statistics and scales of its own, the scales from ``lowest`` to 2."""
    random = np.random.default_rng(2)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            count = layer.gamma.shape[0]
            gamma, beta = random.uniform(lowest, 2, count), random.normal(size=count)
            layer.set_weights([gamma, beta, random.normal(size=count), random.uniform(0.5, 2, count)])


def kinds(network: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in network.layers]


def outputs(network: keras.Model) -> dict[str, npt.NDArray[np.float32]]:
    return {name: np.asarray(output) for name, output in network(PIXELS, training=False).items()}


@pytest.mark.parametrize("name", ["cnn1", "cnn3", "cnn4"])
def test_the_outputs_stay(name: str) -> None:
    network = build(name)
    spoil_norms(network, lowest=0.5)
    plain = fold_batch_norms(network)
    expected, found = outputs(network), outputs(plain)
    for output in ("logits", "features"):
        assert found[output] == pytest.approx(
            expected[output], rel=1e-4, abs=1e-4 * float(np.abs(expected[output]).max())
        )
    assert not {"BatchNormalization", "Dropout"} & set(kinds(plain))


def test_a_negative_scale_does_not_go_through_a_maximum() -> None:
    network = build("cnn4")
    spoil_norms(network, lowest=-2)
    plain = fold_batch_norms(network)
    assert kinds(plain).count("BatchNormalization") == 2  # the two before pooling
    expected = outputs(network)["logits"]
    assert outputs(plain)["logits"] == pytest.approx(expected, rel=1e-4, abs=1e-4 * float(np.abs(expected).max()))


def test_kernel_and_bias_by_hand() -> None:
    # (2 x + 1) * 3 + (5 y - 1) * 4 + 10 = 6 x + 20 y + 9
    affine = Affine(np.array([2, 5], np.float32), np.array([1, -1], np.float32))
    kernel, bias = folded([np.array([[3], [4]], np.float32), np.array([10], np.float32)], affine)
    assert kernel.tolist() == [[6], [20]]
    assert bias.tolist() == [9]


@pytest.mark.parametrize("name", ["cnn1", "cnn3", "cnn4"])
def test_equal_channels_say_the_same(name: str) -> None:
    network = build(name)
    spoil_norms(network, lowest=0.5)
    plain = fold_batch_norms(network)
    equalize(plain, PIXELS.astype(np.uint8))
    expected, found = outputs(network), outputs(plain)
    for output in ("logits", "features"):
        assert found[output] == pytest.approx(
            expected[output], rel=1e-4, abs=1e-4 * float(np.abs(expected[output]).max())
        )


def test_equalization_by_hand() -> None:
    """Two channels reach 8 and 2 and are read by 1 and 1 (the filters' greatest): scaled by 1/sqrt(8), 1/sqrt(2)."""
    pixels = keras.Input((1,), name="pixels")
    hidden = layers.Dense(2, activation="relu")(pixels)
    features = layers.Dense(2, name="features")(hidden)
    network = keras.Model(pixels, {"features": features, "logits": layers.Dense(1, name="logits")(features)})
    first, second = network.layers[1], network.layers[2]
    first.set_weights([np.array([[4, 1]], np.float32), np.zeros(2, np.float32)])
    second.set_weights([np.array([[5, 0], [0, 3]], np.float32), np.ones(2, np.float32)])
    taken = np.array([[2], [1]], np.uint8)
    assert [most.tolist() for most in greatest(network, [first], taken)] == [[8, 2]]
    equalize(network, taken)
    # Those two, divided by their geometric mean 1/2: 0.7071 and 1.4142.
    assert first.get_weights()[0] == pytest.approx(np.array([[4 * 0.5**0.5, 2**0.5]]), rel=1e-5)
    assert second.get_weights()[0] == pytest.approx(np.array([[5 * 2**0.5, 0], [0, 3 * 0.5**0.5]]), rel=1e-5)


def test_dead_filters_stay_dead() -> None:
    """A filter that reads nothing, a channel that never lives: nothing is divided by 0."""
    network = build("cnn3")
    kernel, bias = network.layers[2].get_weights()
    kernel[..., 0] = 0
    network.layers[2].set_weights([kernel, bias])
    plain = fold_batch_norms(network)
    second = plain.layers[4]
    kernel, bias = second.get_weights()
    second.set_weights([np.zeros_like(kernel), bias])
    expected = outputs(plain)["logits"]
    equalize(plain, PIXELS.astype(np.uint8))
    assert outputs(plain)["logits"] == pytest.approx(expected, abs=1e-5)


def test_networks_inside_a_network_are_one_chain() -> None:
    network = build("vgg19", 32)
    plain = fold_batch_norms(network)
    names = [getattr(step, "name", "") for step in flattened(network)]
    assert names[0].startswith("flip")  # flip_1 where another such network was built before
    assert names[1:3] == ["scale", "block1_conv1"] and names[-1] == "logits"
    assert [step.name for step in flattened(plain)][:2] == ["scale", "block1_conv1"]  # the kernels are flipped instead
    assert plain.get_layer("scale").offset == [-123.68, -116.779, -103.939]
    pixels = np.random.default_rng(4).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    expected, found = (np.asarray(each(pixels, training=False)["logits"]) for each in (network, plain))
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
