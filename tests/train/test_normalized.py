"""Batch normalizations of a training that end up in the network's weights."""

import keras
import numpy as np
import pytest

from train.models import build
from train.normalized import begin_as, folded, normalized, plain

PIXELS = np.random.default_rng(1).integers(0, 256, (20, 28, 28, 1)).astype(np.float32)


def test_a_normalization_is_folded_into_what_is_before_it() -> None:
    """Channel 1: (x - 1) / 2 * 6 + 5 = 3 x + 2; channel 2: (x + 1) / 0.5 * 1 + 0 = 2 x + 2."""
    norm = keras.layers.BatchNormalization(epsilon=0)
    norm.build((None, 2))
    norm.set_weights([np.array(values, np.float32) for values in ([6, 1], [5, 0], [1, -1], [4, 0.25])])
    kernel, bias = folded(np.array([[1, 1], [2, -3]], np.float32), norm)
    assert kernel.tolist() == [[3, 2], [6, -6]] and bias.tolist() == [2, 2]


@pytest.mark.parametrize(("name", "more"), [("cnn1", 2), ("cnn3", 4), ("cnn4", 6)])
def test_the_plain_network_says_what_the_normalized_one_says(name: str, more: int) -> None:
    keras.utils.set_random_seed(1)
    trained = normalized(build(name, live=True))
    norms = [layer for layer in trained.layers if isinstance(layer, keras.layers.BatchNormalization)]
    draw = np.random.default_rng(2)
    for norm in norms:
        norm.set_weights([draw.uniform(0.5, 2, norm.gamma.shape) for _ in range(4)])
    network = plain(trained, build(name, live=True))
    own = sum(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)
    assert len(norms) - own == more
    expected, found = trained(PIXELS, training=False), network(PIXELS, training=False)
    for output in ("logits", "features"):
        scale = np.asarray(expected[output]).std()
        assert np.asarray(found[output]) / scale == pytest.approx(np.asarray(expected[output]) / scale, abs=1e-4)
    norms[0].set_weights([2 * values for values in norms[0].get_weights()])
    assert np.abs(np.asarray(trained(PIXELS, training=False)["logits"]) - np.asarray(found["logits"])).max() > 0.01


@pytest.mark.parametrize("name", ["cnn1", "cnn3", "cnn4"])
def test_a_normalized_network_begins_as_one_without(name: str) -> None:
    keras.utils.set_random_seed(1)
    network = build(name, live=True)
    draw = np.random.default_rng(2)
    for layer in network.layers:
        layer.set_weights(
            [values + (values.ndim == 1) * draw.uniform(0, 0.1, values.shape) for values in layer.get_weights()]
        )
    trained = normalized(network)
    begin_as(trained, network, PIXELS)
    expected, found = network(PIXELS, training=False), trained(PIXELS, training=False)
    for output in ("logits", "features"):
        scale = np.asarray(expected[output]).std()
        assert np.asarray(found[output]) / scale == pytest.approx(np.asarray(expected[output]) / scale, abs=1e-4)
    again = plain(trained, build(name, live=True))
    for before, after in zip(network.weights, again.weights, strict=True):
        assert np.array(after) == pytest.approx(np.array(before), abs=1e-4)
