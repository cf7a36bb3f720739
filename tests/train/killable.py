"""A small real training, for tests that kill it: python killable.py FOLDER."""

import dataclasses
import sys
from pathlib import Path

import keras
import numpy as np

from train.fit import Examples, article_phases, fit
from train.models import build
from train.recipes import Config, article


def striped(count: int, seed: int) -> Examples:
    """Images of ten kinds of stripes in noise: learnable, but not at once."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    rows = np.arange(28)
    stripes = 127 + 60 * np.sin(rows[np.newaxis, :] * (1 + labels[:, np.newaxis]) / 3)
    images = np.clip(stripes[:, :, np.newaxis] + random.normal(0, 60, (count, 28, 28)), 0, 255)
    return Examples(images[..., np.newaxis].astype(np.uint8), np.eye(10, dtype=np.float32)[labels])


if __name__ == "__main__":
    keras.utils.set_random_seed(1)
    recipe = dataclasses.replace(article("cnn1"), epochs=2, augmented_epochs=3)
    phases = article_phases(recipe, striped(4000, 1), seed=1)
    fit(build("cnn1"), Config("cnn1", recipe, 1, 28, {}), phases, striped(500, 2), Path(sys.argv[1]))
