"""vgg19 is tuned: on a CPU its last two blocks and head, on a GPU all of it; untrained weights, a few pictures."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from train.fit import Examples
from train.live import Lessons
from train.mixture import Part, target, with_masks
from train.models import build_vgg19_base
from train.recipes import Config, live
from train.vgg19_live import tune_vgg19


def lessons() -> Lessons:
    """Two parts of sixteen pictures of 32x32 pixels."""
    random = np.random.default_rng(1)
    pictures = with_masks(random.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8))
    targets = np.stack([target(("Bag",)), target(("none",))] * 8)
    backgrounds = random.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    val = Examples(np.concatenate([pictures, np.zeros_like(pictures[..., :3])], axis=-1), targets)
    return Lessons([Part(pictures, targets, 16), Part(pictures, targets, 16)], backgrounds, val, batch_size=16, seed=1)


def config(on_gpu: bool) -> Config:
    recipe = live("vgg19", on_gpu)
    assert recipe.tuning is not None
    tuning = dataclasses.replace(recipe.tuning, head_epochs=1)
    return Config("vgg19", dataclasses.replace(recipe, augmented_epochs=1, batch_size=16, tuning=tuning), 1, 32, {})


def kernels(base: keras.Model) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    names = ("block1_conv1", "block3_conv4", "block4_conv1", "block5_conv4")
    return {name: np.array(base.layers[-1].get_layer(name).kernel) for name in names}


@pytest.mark.parametrize(
    ("on_gpu", "tuned"),
    [
        (False, {"block4_conv1", "block5_conv4"}),
        (True, {"block1_conv1", "block3_conv4", "block4_conv1", "block5_conv4"}),
    ],
)
def test_what_is_to_be_tuned_is_tuned(on_gpu: bool, tuned: set[str], tmp_path: Path) -> None:
    base = build_vgg19_base(32, None)
    before = kernels(base)
    trained = tune_vgg19(config(on_gpu), lessons(), tmp_path, base)
    assert {name for name, kernel in kernels(base).items() if not np.array_equal(kernel, before[name])} == tuned
    assert trained.network.output["logits"].shape == (None, 11)
    assert [row["epoch"] for row in trained.history] == ([1, 2, 3] if on_gpu else [1, 2])
    assert (tmp_path / "head" / "history.csv").exists()
