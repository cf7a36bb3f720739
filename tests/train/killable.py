"""A small real run, for tests that kill it: python killable.py FOLDER."""

import dataclasses
import sys
from pathlib import Path

import numpy as np

from train.data import FashionMnist, Split
from train.recipes import Config, article
from train.run import Inputs, run


def striped(count: int, seed: int) -> Split:
    """Images of ten kinds of stripes in noise: learnable, but not at once."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    rows = np.arange(28)
    stripes = 127 + 60 * np.sin(rows[np.newaxis, :] * (1 + labels[:, np.newaxis]) / 3)
    images = np.clip(stripes[:, :, np.newaxis] + random.normal(0, 150, (count, 28, 28)), 0, 255)
    return Split(images.astype(np.uint8), labels.astype(np.uint8))


if __name__ == "__main__":
    recipe = dataclasses.replace(article("cnn1"), epochs=2, augmented_epochs=2, final_epochs=1, batch_size=128)
    data = FashionMnist(striped(1500, 1), striped(300, 2), striped(300, 3), {})
    run(Config("cnn1", recipe, 1, 28, {}), Inputs(data), Path(sys.argv[1]))
