"""A contract that is wrong is a clear error."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from edge_app.contract import Contract, InputSpec, read_contract
from edge_app.errors import ContractError
from edge_app.labels import FASHION, LIVE

CONTRACT = Contract(
    name="cnn9",
    architecture="cnn9",
    variant="fashion-mnist",
    sha256="00",
    labels=FASHION,
    input=InputSpec((28, 28, 1), "grey", "object"),
    outputs={"logits": 1, "features": 0},
    quantization="int8",
    temperature=1.5,
    threshold=0.5,
    none_threshold=None,
    recipe={},
    data={},
    versions={},
    accuracy={},
)


def test_survives_json(tmp_path: Path) -> None:
    path = tmp_path / "cnn9.json"
    path.write_text(json.dumps(CONTRACT.to_json()))
    assert read_contract(path) == CONTRACT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": LIVE}, "none_threshold and the class none go together"),
        ({"labels": LIVE, "none_threshold": 1.5}, "none_threshold 1.5, expected 0..1"),
        ({"labels": (*FASHION, "Bag")}, "labels that repeat"),
        ({"temperature": 0.0}, "temperature 0.0, expected above 0"),
        ({"temperature": math.inf}, "temperature inf, expected above 0"),
        ({"threshold": -0.1}, "threshold -0.1, expected 0..1"),
        ({"variant": "best"}, "variant 'best'"),
        ({"outputs": {"logits": 0}}, r"outputs \['logits'\]"),
        ({"outputs": {"logits": "1", "features": 0}}, "outputs .*'1'.*, expected whole numbers from 0 on"),
        ({"outputs": {"logits": 1, "features": -1}}, "outputs .*-1.*, expected whole numbers from 0 on"),
        ({"outputs": {"logits": 1, "features": 1}}, "outputs .*, expected two"),
        ({"name": 5}, "name 5, expected a word"),
        ({"labels": tuple(range(10))}, "labels .*, expected words"),
        ({"accuracy": {"photos val": "much"}}, "accuracy .*'much'.*, expected numbers"),
        (
            {"input": InputSpec((28.0, 28, 1), "grey", "object")},  # type: ignore[arg-type]
            r"input \(28.0, 28, 1\), expected whole numbers",
        ),
        ({"input": InputSpec((28, 28, 3), "grey", "object")}, "3 channels for colour grey"),
        ({"input": InputSpec((28, 30, 1), "grey", "object")}, "28x30, expected a square"),
        ({"input": InputSpec((28, 28, 1), "grey", "middle")}, "framing 'middle'"),
    ],
)
def test_contradictions_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        dataclasses.replace(CONTRACT, **change)


def test_unreadable_contracts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cnn9.json"
    fields = CONTRACT.to_json()
    missing = {key: value for key, value in fields.items() if key != "labels"}
    for content in ("", "{", "[]", json.dumps(fields | {"speed": 1}), json.dumps(missing), "{}"):
        path.write_text(content)
        with pytest.raises(ContractError, match=r"cnn9\.json: not a model's contract .* Convert the model again"):
            read_contract(path)
