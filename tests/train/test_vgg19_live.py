"""vgg19 is tuned: on a CPU its fifth block and head, on a GPU all of it; with no trained weights, on a few pictures."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_app.errors import RunError
from train.fit import Examples
from train.live import Lessons
from train.mixture import Part, target, with_masks
from train.models import build_vgg19_base, build_vgg19_head, join_vgg19
from train.recipes import Config, Tuning, live
from train.vgg19_live import mixture_maps, split_base, tune_vgg19


def lessons() -> Lessons:
    """Two parts of sixteen pictures of 32x32 pixels."""
    random = np.random.default_rng(1)
    pictures = with_masks(random.integers(0, 256, (16, 32, 32, 3), dtype=np.uint8))
    targets = np.stack([target(("Bag",)), target(("none",))] * 8)
    backgrounds = random.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    val = Examples(np.concatenate([pictures, np.zeros_like(pictures[..., :3])], axis=-1), targets)
    return Lessons([Part(pictures, targets, 16), Part(pictures, targets, 16)], backgrounds, val, batch_size=16, seed=1)


def config(whole: bool) -> Config:
    tuning = Tuning(head_epochs=1, head_rate=1e-3, whole=whole, views=1)
    recipe = dataclasses.replace(live("vgg19", on_gpu=whole), augmented_epochs=1, batch_size=16, tuning=tuning)
    return Config("vgg19", recipe, 1, 32, {})


def kernels(base: keras.Model) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    convolutions = base.layers[-1]
    return {name: np.array(convolutions.get_layer(name).kernel) for name in ("block1_conv1", "block5_conv4")}


def test_two_halves_are_the_whole() -> None:
    base = build_vgg19_base(32, None)
    head = build_vgg19_head(base.output_shape[1:], live=True)
    lower, upper = split_base(base, head)
    assert lower.output_shape == (None, 2, 2, 512)
    pixels = np.random.default_rng(1).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    expected = np.asarray(join_vgg19(base, head)(pixels)["logits"])
    assert np.asarray(upper(lower(pixels))["logits"]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_to_be_tuned_is_tuned(whole: bool, tmp_path: Path) -> None:
    base = build_vgg19_base(32, None)
    before = kernels(base)
    trained = tune_vgg19(config(whole), lessons(), tmp_path, base)
    changed = {name: not np.array_equal(kernel, before[name]) for name, kernel in kernels(base).items()}
    assert changed == {"block1_conv1": whole, "block5_conv4": True}
    assert trained.network.output["logits"].shape == (None, 11)
    assert len(trained.history) == 1
    assert (tmp_path / "head" / "history.csv").exists()


def test_views_follow_from_the_seed_alone(tmp_path: Path) -> None:
    base = build_vgg19_base(32, None)
    lower, _ = split_base(base, build_vgg19_head(base.output_shape[1:], live=True))

    def maps(folder: Path) -> Examples:
        return mixture_maps(config(False), lessons(), lessons().augmentation(config(False)), lower, folder)

    first = maps(tmp_path / "a")
    assert first.inputs.shape == (32, 2, 2, 512) and first.inputs.dtype == np.float16
    again = maps(tmp_path / "b")
    assert np.array_equal(first.inputs, again.inputs) and np.array_equal(first.targets, again.targets)
    (tmp_path / "b" / "train-00-0001.npy").unlink()  # as if it had been stopped there
    assert np.array_equal(maps(tmp_path / "b").inputs, first.inputs)
    (tmp_path / "b" / "train-00-0001.npy").write_bytes(b"half")
    with pytest.raises(RunError, match=r"train-00-0001\.npy: damaged"):
        maps(tmp_path / "b")
