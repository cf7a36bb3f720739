"""A small training on several devices, for tests: python teamwork.py FOLDER DEVICES EPOCHS [augmented].

A processor's cores stand for the devices, so that it runs anywhere. With Keras's own variables for it several processes
work together (JAX).
"""

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":  # before JAX starts
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={sys.argv[2]}"

import keras
import numpy as np

from train.devices import computing_in
from train.fit import Examples, fashion_phases, fit
from train.models import build
from train.recipes import Config, article
from train.state import Row
from train.team import Team, gather, on_one_device


def stripes(count: int) -> Examples:
    """Ten classes of images: a bright row each, in noise."""
    labels = np.arange(count) % 10
    images = np.random.default_rng(count).integers(0, 100, (count, 28, 28, 1)).astype(np.uint8)
    images[np.arange(count), 2 * labels] += 150
    return Examples(images, np.eye(10, dtype=np.float32)[labels])


def cnn1() -> keras.Model:
    """As the article has it."""
    return build("cnn1")


def work(
    folder: Path,
    team: Team,
    epochs: int,
    *,
    augmented: bool = False,
    batch_size: int = 32,
    precision: str = "float32",
    make: Callable[[], keras.Model] = cnn1,
) -> tuple[list[Row], keras.Model]:
    """The history, and the network on one device. Without dropout, which draws other numbers on other devices; the last
    of the batches are smaller."""
    keras.utils.set_random_seed(1)
    recipe = dataclasses.replace(
        article("cnn1"), batch_size=batch_size, epochs=0 if augmented else epochs, augmented_epochs=epochs * augmented
    )
    with team.scope():
        with computing_in(precision):
            network = make()
        for layer in network.layers:
            if isinstance(layer, keras.layers.Dropout) and not augmented:
                layer.rate = 0.0
        phases = fashion_phases(recipe, stripes(210), seed=1)
        config = Config("cnn1", recipe, 1, 28, {}, precision=precision)
        history = fit(network, config, phases, stripes(150), folder, team=team)
    return history, on_one_device(network, make, team)


if __name__ == "__main__":
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        parts = [tensorflow.config.LogicalDeviceConfiguration()] * int(sys.argv[2])
        tensorflow.config.set_logical_device_configuration(tensorflow.config.list_physical_devices("CPU")[0], parts)
    team = gather("cnn1", "article")
    assert team.devices == int(sys.argv[2]) * team.processes
    folder = Path(sys.argv[1])
    _, plain = work(folder, team, int(sys.argv[3]), augmented="augmented" in sys.argv)
    if team.is_chief:
        np.save(folder / "logits.npy", plain.predict(stripes(20).inputs, verbose=0)["logits"])
