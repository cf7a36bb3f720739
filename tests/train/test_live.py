"""Training on the mixture: what comes when."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from train.fit import Examples
from train.live import Lessons, train_live
from train.mixture import Part, target, with_masks
from train.paths import Paths, digests_of
from train.recipes import Config, live


def lessons() -> Lessons:
    """Eight garments as they are and eight in the world, 56x56 pixels."""
    pictures = with_masks(np.random.default_rng(1).integers(0, 256, (16, 56, 56, 1), dtype=np.uint8))
    targets = np.stack([target(("Bag",)), target(("none",))] * 8)
    backgrounds = np.zeros((1, 56, 56, 1), np.uint8)
    val = Examples(np.concatenate([pictures, np.zeros_like(pictures[..., :1])], axis=-1), targets)
    parts = [Part(pictures[:8], targets[:8], 8), Part(pictures[8:], targets[8:], 8)]
    return Lessons(parts, backgrounds, val, batch_size=8, seed=1)


def config(epochs: int, final_epochs: int) -> Config:
    recipe = dataclasses.replace(live("cnn1", on_gpu=False), augmented_epochs=epochs, final_epochs=final_epochs)
    return Config("cnn1", recipe, 1, 28, {})


def test_no_two_collections_share_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = ["data/photos.zip", "a/mine/photos.csv", "b/mine/photos.csv", "photos.zip", "data/products.zip"]
    for number, place in enumerate(places):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(bytes([number]))
    monkeypatch.chdir(tmp_path)
    photos = (tmp_path / "data/photos.zip", Path("a/mine"), Path("b/mine"), Path("photos.zip"))
    digests = digests_of(Paths(photos, (tmp_path / "data/products.zip",)))
    own_zip = f"{tmp_path.name}/photos.zip"
    assert list(digests) == ["photos.zip", "mine/photos.csv", "b/mine/photos.csv", own_zip, "products.zip"]
    assert len(set(digests.values())) == 5


def test_at_last_fashion_mnist_comes_as_it_is_and_the_world_does_not() -> None:
    found = lessons()
    inputs, _ = found.batches(0)[0]
    still = inputs[..., :1].reshape(8, 28, 2, 28, 2, 1).mean(axis=(2, 4))
    pixels = np.asarray(found.augmentation(config(1, 1), is_final=True)(inputs, training=True))
    assert np.abs(pixels[:4] - still[:4]).max() < 1e-3
    assert (np.abs(pixels[4:] - still[4:]).mean(axis=(1, 2, 3)) > 1).all()
    moved = np.asarray(found.augmentation(config(1, 1))(inputs, training=True))
    assert (np.abs(moved - still).mean(axis=(1, 2, 3)) > 1).all()


def test_all_epochs_are_in_the_history_and_what_settles_is_what_came_last(tmp_path: Path) -> None:
    trained = train_live(config(2, 1), lessons(), tmp_path, ())
    assert [row["epoch"] for row in trained.history] == [1, 2, 3]
    assert trained.views is not None
    inputs, _ = lessons().batches(0)[0]
    still = inputs[:4, :, :, :1].reshape(4, 28, 2, 28, 2, 1).mean(axis=(2, 4))
    assert np.abs(trained.views()[:4] - still).max() < 1e-3
