"""What a conversion is calibrated on: the variant's own kind of pictures."""

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from converters.data import (
    CALIBRATION_PER_CLASS,
    Data,
    calibration_pixels,
    load_data,
    parity_pixels,
    require_same_pictures,
    stratified,
    validation_pictures,
)
from converters.quantize import calibrate, export_float32, quantization_recipe, telling_range
from edge_app.contract import InputSpec
from edge_app.errors import DataError
from edge_app.models import assets_dir
from train.data import FashionMnist, Split
from train.paths import Paths, folder_digest
from train.pictures import PHOTOS
from train.source import load_source

SPEC = InputSpec((28, 28, 1), "grey", "whole")


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """Fashion-MNIST of 300 black images a class, and two grey photos to train on, one to validate with."""
    (tmp_path / "images").mkdir()
    rows = ["image,label,sender_id,split", "a,Hoodie,7,train", "b,Hat,7,train", "c,Dress,8,val"]
    (tmp_path / "photos.csv").write_text("\n".join(rows))
    for name, value in (("a", 210), ("b", 225), ("c", 240)):
        assert cv2.imwrite(str(tmp_path / "images" / f"{name}.jpg"), np.full((9, 7, 3), value, np.uint8))
    split = Split(np.zeros((3000, 28, 28), np.uint8), np.arange(3000, dtype=np.uint8) % 10)
    return Data(FashionMnist(split, split, split, {}), Paths((tmp_path,), ()))


def test_calibration_is_stratified_and_seeded() -> None:
    labels = np.repeat(np.arange(4, dtype=np.uint8), (9, 8, 7, 3))
    chosen = stratified(labels, 5, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [5, 5, 5, 3]
    assert len(set(chosen.tolist())) == 18
    assert np.array_equal(chosen, stratified(labels, 5, seed=1))
    assert not np.array_equal(chosen, stratified(labels, 5, seed=2))


def test_a_live_model_is_calibrated_on_photos_too(data: Data) -> None:
    assert len(calibration_pixels(data, SPEC, is_live=False, seed=1)) == 10 * CALIBRATION_PER_CLASS
    pixels = calibration_pixels(data, SPEC, is_live=True, seed=1)
    assert pixels.shape == (10 * CALIBRATION_PER_CLASS + 2, 28, 28, 1)
    assert sorted(pixels[-2:, 0, 0, 0]) == pytest.approx([210, 225], abs=1)


def test_parity_is_taken_on_validation_pictures(data: Data) -> None:
    pictures = validation_pictures(data, SPEC)
    assert parity_pixels(data, pictures, SPEC, is_live=False).shape == (1000, 28, 28, 1)
    pixels = parity_pixels(data, pictures, SPEC, is_live=True)
    assert len(pixels) == 1000
    assert pixels[0, 0, 0, 0] == pytest.approx(240, abs=1) and pixels[1:].max() == 0


def test_own_pictures_join(data: Data, tmp_path: Path) -> None:
    """Here of a room alone, which is no garment, and of one split."""
    room = tmp_path / "room"
    (room / "images").mkdir(parents=True)
    (room / "photos.csv").write_text("image,label,sender_id,split\nd,none,9,val")
    assert cv2.imwrite(str(room / "images" / "d.jpg"), np.full((9, 7, 3), 220, np.uint8))
    joined = Data(data.fashion_mnist, Paths((tmp_path, room), ()))
    found = validation_pictures(joined, SPEC)[PHOTOS]
    assert [row.person for row in found.rows] == ["8", "9"]
    assert found.pixels[:, 0, 0, 0] == pytest.approx([240, 220], abs=1)
    assert len(calibration_pixels(joined, SPEC, is_live=True, seed=1)) == 10 * CALIBRATION_PER_CLASS + 2
    with pytest.raises(DataError, match="room: no garment of the split val"):
        validation_pictures(Data(data.fashion_mnist, Paths((room,), ())), SPEC)


def test_archives_of_one_name_keep_their_digests(data: Data, tmp_path: Path) -> None:
    paths = tuple(tmp_path / folder / "photos.zip" for folder in ("published", "mine"))
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(path.parent.name.encode())
    found = Data(data.fashion_mnist, Paths(paths, ())).digests
    assert found == {
        "photos.zip": hashlib.sha256(b"published").hexdigest(),
        "mine/photos.zip": hashlib.sha256(b"mine").hexdigest(),
    }


def test_a_model_is_not_fitted_on_people_it_may_know(data: Data, tmp_path: Path) -> None:
    source = load_source(assets_dir() / "checkpoints" / "cnn4.weights.h5")
    require_same_pictures(replace(source, config=replace(source.config, data={})), data)
    places = tmp_path / "photos"
    places.mkdir()
    (places / "photos.csv").write_text("image,label,sender_id,split")
    published = replace(data, paths=Paths((places,), ()))
    with pytest.raises(DataError, match=r"^cnn4-live has learned from other photos than these"):
        require_same_pictures(source, published)
    mine = replace(published.paths, own=frozenset({places}))  # perhaps published ones, split otherwise
    with pytest.raises(DataError, match=r"^cnn4-live has learned from other photos than these"):
        require_same_pictures(source, replace(data, paths=mine))
    taught = replace(source, config=replace(source.config, data={"mine/photos.csv": "as it was then"}))
    with pytest.raises(DataError, match="has learned from other own pictures than these"):
        require_same_pictures(taught, replace(data, paths=mine))
    by_these = replace(source.config, data={"mine/photos.csv": folder_digest(places, PHOTOS)})
    require_same_pictures(replace(source, config=by_these), replace(data, paths=mine))


def test_a_live_model_needs_photos(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="calibrated on photos"):
        load_data(str(tmp_path), load_source(assets_dir() / "checkpoints" / "cnn4.weights.h5").config)


def test_what_few_pictures_reach_does_not_count() -> None:
    pixels = keras.Input((1, 1, 1), name="pixels")
    flat = keras.layers.Flatten()(pixels)
    network = keras.Model(
        pixels, {"logits": keras.layers.Dense(3, name="logits")(flat), "features": keras.layers.ReLU()(flat)}
    )
    float32_model = export_float32(network)
    pictures = np.full((400, 1, 1, 1), 100, np.uint8)
    pictures[:3, 0, 0, 0] = 255, 250, 200  # of 400 two are left out, but for what the second reaches
    pictures[3:5, 0, 0, 0] = 1, 2
    statistics = calibrate(float32_model, quantization_recipe("int8"), pictures)
    ranges = [(float(found["min"][0]), float(found["max"][0])) for found in statistics.values()]
    assert (2, 250) in ranges and not any(255 in each for each in ranges)


def test_the_range_of_logits_is_what_a_softmax_can_tell_apart() -> None:
    # Greatest 30 and 4, second greatest 10 and 1: 12 below 4, 12 above 10.
    assert telling_range(np.array([[30, 10, -50], [1, 4, -20]], np.float32)) == (-8, 22)
    assert telling_range(np.array([[3, 1, -2]], np.float32)) == (-2, 3)
