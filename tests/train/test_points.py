"""Which pictures become a model's points, and how they lie."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edge_app.classifier import Classifier
from edge_app.contract import Contract
from edge_app.errors import DataError, ModelNotFound
from edge_app.models import assets_dir, contracts, default_model
from edge_app.points import read_points, unit
from train.pictures import SHOES, Picture
from train.points import Known, chosen, known, main, make_points


def test_training_garments_are_chosen_by_class() -> None:
    rows = [
        *(Picture(f"c{n}", ("Coat",), "", "train") for n in range(5)),
        *(Picture(f"s{n}", SHOES, "", "train") for n in range(2)),
        Picture("val", ("Coat",), "", "val"),
        Picture("hat", ("none",), "", "train"),
    ]
    found = [picture.name for picture in chosen(rows, 3, np.random.default_rng(0))]
    assert len(found) == 5 and {name[0] for name in found} == {"c", "s"}
    assert found == [picture.name for picture in chosen(rows, 3, np.random.default_rng(0))]


def test_points_are_ordered_and_their_axes_principal() -> None:
    classifier = Classifier.load(default_model())
    size = classifier.contract.input.shape
    pixels = np.random.default_rng(0).integers(0, 256, (40, *size), dtype=np.uint8)
    pictures = [Known(image, ("Sandal", "Ankle boot") if n % 2 else ("Coat",)) for n, image in enumerate(pixels)]
    points = make_points(classifier, pictures)
    assert points.labels[:20] == ("Coat",) * 20
    shoes = classifier.infer(pixels[1::2]).logits
    sandal, boot = (classifier.contract.labels.index(name) for name in ("Sandal", "Ankle boot"))
    assert points.labels.count("Sandal") == int((shoes[:, sandal] >= shoes[:, boot]).sum())
    features = unit(classifier.infer(pixels).features)
    assert points.centre == pytest.approx(features.mean(axis=0), abs=1e-6)
    largest = np.linalg.eigvalsh(np.cov(features.T))[::-1][:2]
    along = (points.features - points.centre) @ points.axes.T
    assert along.var(axis=0, ddof=1) == pytest.approx(largest, rel=1e-3)


def test_shipped_points_are_made_of_this_data(data_dir: Path) -> None:
    """A small model's: the same labels and features as the file's, as float16 keeps them."""
    contract = next(contract for contract in contracts() if contract.name == "cnn3-fashion-mnist")
    made = make_points(Classifier.load(contract.name), known(contract, str(data_dir)))
    kept = read_points(contract)
    assert made.labels == kept.labels
    assert made.features == pytest.approx(kept.features, abs=0.02)  # two runtimes differ by up to two steps of int8
    assert made.logits == pytest.approx(kept.logits, abs=0.5)


def test_points_are_of_installed_models_only() -> None:
    """A copy elsewhere has the installed one's name, and would take the place of its points."""
    with pytest.raises(ModelNotFound, match=r"no model elsewhere/cnn4\.tflite is installed\. Choose one of cnn1"):
        main(["--model", "elsewhere/cnn4.tflite"])


def test_a_live_model_needs_real_pictures(tmp_path: Path) -> None:
    live = [contract for contract in contracts() if contract.variant == "live"]
    if not live:
        pytest.skip("no live model is installed")
    contract: Contract = live[0]
    with pytest.raises(DataError, match=r"photos are needed: put photos\.zip"):
        known(contract, str(tmp_path))


def test_a_users_own_pictures_are_among_the_points(data_dir: Path, tmp_path: Path) -> None:
    """Two bags at home, each with a patch of its room; one that is for validation is not."""
    contract = next(contract for contract in contracts() if contract.name == "cnn3")
    own = tmp_path / "mine"
    (own / "images").mkdir(parents=True)
    rows = ["image,label,sender_id,split", "a,Bag,,train", "b,Bag,,train", "c,Bag,,val"]
    (own / "photos.csv").write_text("\n".join(rows), encoding="utf-8")
    for name in "abc":
        shutil.copy(assets_dir() / "examples" / "bag.png", own / "images" / f"{name}.png")
    published = Counter(picture.classes for picture in known(contract, str(data_dir)))
    with_own = Counter(picture.classes for picture in known(contract, str(data_dir), [own]))
    assert with_own - published == {("Bag",): 2, ("none",): 2}
