"""The tables of the documents are made from what was measured."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_app.classifier import Classifier
from edge_app.contract import Contract, InputSpec
from edge_app.errors import DataError
from edge_app.labels import LIVE
from edge_app.models import CARD, assets_dir, contracts
from train.compare import Compared, Mistake, invoke_times_ms, long_tables, look, short_table
from train.comparison_plots import plot_confusions, plot_mistakes, plot_models
from train.documents import with_block
from train.judge import Judgement
from train.pictures import PHOTOS

ROOT = Path(__file__).parents[2]


def compared(name: str, variant: str = "live") -> Compared:
    contract = Contract(
        name=name,
        architecture="cnn4",
        variant=variant,
        sha256="",
        labels=LIVE,
        input=InputSpec((28, 28, 1), "grey", "whole"),
        outputs={"logits": 0, "features": 1},
        quantization="int8",
        temperature=1.0,
        threshold=0.5,
        none_threshold=0.5,
        recipe={},
        data={},
        versions={},
        accuracy={},
    )
    photos = Judgement(0.8125, 0.75, {"Coat": 0.5, "Dress": 1.0}, {"Coat": 4, "Dress": 5}, 0.9)
    products = Judgement(0.75, 0.5, {"Bag": 0.75, "Coat": 0.25}, {"Bag": 8, "Coat": 8}, None)
    matrix = np.diag(np.arange(1, 12))
    pictures = {"photos": photos, "products": products}
    return Compared(contract, "cnn4\nA processor, 2 cores", 1_234_567, 0.123, 0.92, matrix, pictures, [])


def test_short_table() -> None:
    lines = short_table([compared("a"), compared("b", "fashion-mnist")]).splitlines()
    assert lines[0] == "| model | Fashion-MNIST test | in the article | photos by other people | size |"
    assert lines[2:] == [
        "| a | 92.00% | - | 81.2% | 1.23 MB |",
        "| b | 92.00% | 93.52% | 81.2% | 1.23 MB |",
    ]


def shipped() -> list[Compared]:
    """What the cards of the models say of them."""
    found = []
    for contract in sorted(contracts(), key=lambda one: (one.variant != "live", one.name)):
        card = json.loads((assets_dir() / "models" / f"{contract.name}{CARD}").read_text())
        pictures = {name: Judgement(**judged) for name, judged in card["pictures"].items()}
        test = contract.accuracy["fashion-mnist test"]
        found.append(
            Compared(contract, "a\nb", card["size_bytes"], 0.0, test, np.eye(11, dtype=np.int64), pictures, [])
        )
    return found


def test_the_documents_have_the_models_that_ship() -> None:
    models = shipped()
    assert [m.contract.name for m in models[:4]] == ["cnn1", "cnn3", "cnn4", "vgg19"] and len(models) == 7
    assert short_table(models) in (ROOT / "README.md").read_text(encoding="utf-8")
    results = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    summary, *by_class, _ = long_tables(models).split("\n\n")
    for row in summary.splitlines():
        name, size, _, rest = row.removeprefix("| ").split(" | ", 3)
        assert any(
            line.startswith(f"| {name} | {size} | ") and line.endswith(f" | {rest}") for line in results.split("\n")
        )
    assert all(some in results for some in by_class)
    models[2] = replace(models[2], test=models[2].test + 0.0001)  # and where one does not, that is noticed
    assert short_table(models) not in (ROOT / "README.md").read_text(encoding="utf-8")


def test_cnn4_names_as_many_photos_as_its_card_says(data_dir: Path) -> None:
    found, mistakes = look(Classifier.load("cnn4"), data_dir / "photos.zip", PHOTOS)
    card = Judgement(**json.loads((assets_dir() / "models" / f"cnn4{CARD}").read_text())["pictures"]["photos"])
    assert found.counts == card.counts and sum(found.counts.values()) == 594
    assert found.right == pytest.approx(card.right, abs=0.005)  # processors round a few pictures otherwise
    assert found.auroc == pytest.approx(card.auroc, abs=0.003)
    assert len(mistakes) == 594 - round(594 * found.right)


def test_long_tables() -> None:
    models, photos, products, conditions = long_tables([compared("a")]).split("\n\n")
    assert models.splitlines()[2] == "| a | 1.23 MB | 0.12 ms | 92.00% | - | 81.2% | 75.0% | 75.0% | 0.900 |"
    assert photos.splitlines()[2:] == ["| Coat | 4 | 50% |", "| Dress | 5 | 100% |", "| mean of the classes |  | 75% |"]
    assert products.splitlines()[2] == "| Bag | 8 | 75% |"
    assert conditions.startswith("Inference: median of 500, the models taking turns, A processor, 2 cores; threads")


def test_the_noisy_classes_do_not_count_as_the_worst() -> None:
    assert compared("a").worst_product == 0.75


def test_a_block_is_replaced_and_the_rest_stays() -> None:
    page = with_block("before\n<!-- make -->\nold\n<!-- end -->\nafter\n", "make", "new")
    assert with_block(page, "make", "newer") == "before\n<!-- make -->\nnewer\n<!-- end -->\nafter\n"
    with pytest.raises(DataError, match="Put them back"):
        with_block(page, "other", "new")


def test_pictures_are_drawn(tmp_path: Path) -> None:
    models = [compared("a"), compared("b")]
    plot_models(models, tmp_path / "models.png")
    plot_confusions([(m.contract.name, m.matrix[:10, :10]) for m in models], LIVE[:10], tmp_path / "confusions.png")
    mistake = Mistake(np.zeros((4, 3, 3), np.uint8), "Coat", "Dress", 0.9)
    plot_mistakes([mistake] * 9, "a", tmp_path / "mistakes.png")
    plot_mistakes([], "a", tmp_path / "none.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("confusions.png", "mistakes.png", "models.png", "none.png")
    ]


def test_each_model_is_timed() -> None:
    times_ms = invoke_times_ms([Classifier.load(name) for name in ("cnn1-fashion-mnist", "cnn4-fashion-mnist")])
    assert len(times_ms) == 2 and min(times_ms) > 0


def test_a_shipped_model_is_judged_on_photos_as_its_contract_says(data_dir: Path) -> None:
    classifier = Classifier.load("cnn1-fashion-mnist")
    judgement, mistakes = look(classifier, data_dir / "photos.zip", PHOTOS)
    assert judgement.right == pytest.approx(classifier.contract.accuracy["photos val"], abs=0.005)
    assert sum(judgement.counts.values()) == 594
    assert len(mistakes) == round(594 * (1 - judgement.right))
