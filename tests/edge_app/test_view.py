"""What the page shows of an answer, by hand."""

import dataclasses

import pytest

from edge_app.contract import Contract, InputSpec
from edge_app.decide import Decision
from edge_app.labels import FASHION, LIVE
from edge_app.page.view import Bar, View, facts, limits, nameable, percent, summary, view


def contract(variant: str) -> Contract:
    live = variant == "live"
    return Contract(
        name="x",
        architecture="cnn1",
        variant=variant,
        sha256="",
        labels=LIVE if live else FASHION,
        input=InputSpec((28, 28, 1), "grey", "whole" if live else "object"),
        outputs={"logits": 0, "features": 1},
        quantization="int8",
        temperature=1.0,
        threshold=0.5,
        none_threshold=0.5 if live else None,
        recipe={},
        data={},
        versions={},
        accuracy={},
    )


def test_a_sure_answer_is_named() -> None:
    shown = view(Decision("Coat", 0.914, {"Shirt": 0.06, "Coat": 0.914, "Bag": 0.006, "Dress": 0.02}, None))
    bars = (Bar("Coat", 91), Bar("Shirt", 6), Bar("Dress", 2))
    assert shown == View("Coat", "sure", "sure: 91 %", bars)


def test_an_unsure_answer_has_no_name_and_the_two_likeliest_garments() -> None:
    shown = view(Decision("unsure", 0.4, {"Coat": 0.25, "none": 0.35, "Ankle boot": 0.4, "Bag": 0.0}, 0.35))
    bars = (Bar("Ankle boot", 40), Bar("nothing", 35), Bar("Coat", 25))
    assert shown == View("", "unsure", "unsure: Coat or Ankle boot?", bars)  # in the labels' order: it stands still


def test_a_name_that_is_held_shows_its_own_share() -> None:
    shown = view(Decision("Coat", 0.5, {"Shirt": 0.5, "Coat": 0.45, "Bag": 0.05}, None))
    bars = (Bar("Shirt", 50), Bar("Coat", 45), Bar("Bag", 5))
    assert shown == View("Coat", "sure", "sure: 45 %", bars)


def test_nothing_in_view_has_no_name() -> None:
    shown = view(Decision("none", 0.1, {"Bag": 0.1, "none": 0.85, "Coat": 0.05}, 0.85))
    bars = (Bar("nothing", 85), Bar("Bag", 10), Bar("Coat", 5))
    assert shown == View("", "nothing", "nothing: no garment in view", bars)


@pytest.mark.parametrize(
    ("probability", "shown"), [(0.0, 0), (0.004, 0), (0.006, 1), (0.985, 98), (0.999, 99), (1, 99)]
)
def test_percent(probability: float, shown: int) -> None:
    assert percent(probability) == shown


def test_what_can_be_named_does_not_list_none() -> None:
    sentence = "It can name: T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag and Ankle boot."
    assert nameable(contract("live")) == sentence
    assert nameable(contract("fashion-mnist")) == sentence


def test_a_model_is_summed_up_by_the_hardest_data_it_was_judged_on() -> None:
    judged = dataclasses.replace(
        contract("fashion-mnist"), name="cnn9", accuracy={"fashion-mnist test": 0.92, "photos val": 0.464}
    )
    assert summary(judged, 1_250_000) == "cnn9 · 46 % · 1.2 MB"
    assert facts(judged) == "Its likeliest name is right for 46 % of photos, 92 % of Fashion-MNIST."
    assert summary(contract("live"), 40_000) == "x · 0.0 MB"
    assert facts(contract("live")) == ""


def test_shop_picture_models_say_their_limits() -> None:
    assert "shop pictures only" in limits(contract("fashion-mnist"))
    assert limits(contract("live")) == ""
