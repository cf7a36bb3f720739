"""Dropout distillation: what a network says with dropout, it learns to say without.

A network that drops activations is trained as the mean of many thinned ones; leaving them all in is a rough estimate
of that mean. Here the network as it is used, without dropout, learns the answers that it gives with dropout, to the
same augmented pictures and without labels (Bulo, Porzi and Kontschieder, Dropout Distillation, ICML 2016).
"""

import dataclasses
import itertools
from pathlib import Path

import keras

from train.devices import computing_in
from train.fit import Examples, Phase, fit
from train.recipes import UNDROPPED_RATE, UNDROPPING, Config
from train.state import Row
from train.team import ALONE, Team

FOLDER = "undropped"


def undrop(
    network: keras.Model, config: Config, phase: Phase, val: Examples, run_dir: Path, *, team: Team = ALONE
) -> list[Row]:
    """Trains a chain without batch normalization in place, on ``phase``'s augmented pictures, for as many epochs as the
    recipe says, and leaves it with the best one's weights. Returns their history, which is also in
    ``run_dir``/undropped, from where a stopped run goes on. The accuracies in it are by the labels, which are not
    learned from but choose the best epoch."""
    epochs = config.recipe.undropped_epochs
    recipe = dataclasses.replace(config.recipe, learning_rate=UNDROPPED_RATE, label_smoothing=0.0, teaching=UNDROPPING)
    with computing_in(config.precision):
        teacher = dropping(network, config.seed)
    print(f"without labels, without dropout: {epochs} epochs", flush=True)
    phases = [Phase(epochs, phase.batches, phase.augment)]
    stage = dataclasses.replace(config, recipe=recipe)
    return fit(without_dropout(network), stage, phases, val, run_dir / FOLDER, teachers=[teacher], team=team)


def without_dropout(network: keras.Model) -> keras.Model:
    """The same chain, with the same layers and weights, but for its dropouts."""
    hidden, outputs = network.input, {}
    for layer in network.layers[1:]:
        if not isinstance(layer, keras.layers.Dropout):
            hidden = layer(hidden)
        if layer.name in network.output:
            outputs[layer.name] = hidden
    return keras.Model(network.input, outputs)


def dropping(network: keras.Model, seed: int) -> keras.Model:
    """A copy, whose dropouts draw from seeds that follow from ``seed`` alone."""
    seeds = itertools.count(seed)

    def copied(layer: keras.layers.Layer) -> keras.layers.Layer:
        given = {"seed": next(seeds)} if isinstance(layer, keras.layers.Dropout) else {}
        return type(layer).from_config(layer.get_config() | given)

    copy = keras.models.clone_model(network, clone_function=copied)
    copy.set_weights(network.get_weights())
    return copy
