"""The contract: a JSON file that travels with a model and says how it is to be used."""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_app.errors import ContractError

COLOURS = {"grey": 1, "rgb": 3}
FRAMINGS = ("object", "whole")
VARIANTS = ("fashion-mnist", "live")
OUTPUTS = ("logits", "features")


@dataclass(frozen=True)
class InputSpec:
    """What a model takes: ``shape`` (height, width, channels), ``colour`` grey or rgb, and ``framing``.

    ``framing`` says how a picture becomes model input. ``whole``: padded to a square with its edge pixels, resized,
    brightened if it is dim. ``object``: the garment is cut out and shown as Fashion-MNIST shows it, light on black.
    """

    shape: tuple[int, int, int]
    colour: str
    framing: str


@dataclass(frozen=True)
class Contract:
    """Everything about a model that its .tflite file does not say itself.

    ``outputs`` gives the index of "logits" and "features" among the interpreter's output details. ``temperature``
    divides the logits before softmax; ``threshold`` and ``none_threshold`` are probabilities (see edge_app.decide),
    ``none_threshold`` null for a model without that class. ``data`` maps a data file to its digest, ``accuracy``
    a data set to the share of right answers (0..1), measured on the .tflite.
    """

    name: str
    architecture: str
    variant: str
    sha256: str
    labels: tuple[str, ...]
    input: InputSpec
    outputs: dict[str, int]
    quantization: str
    temperature: float
    threshold: float
    none_threshold: float | None
    recipe: dict[str, Any]
    data: dict[str, str]
    versions: dict[str, str]
    accuracy: dict[str, float]

    def __post_init__(self) -> None:
        height, width, channels = self.input.shape
        problems = {
            f"variant {self.variant!r}, expected one of {VARIANTS}": self.variant not in VARIANTS,
            f"colour {self.input.colour!r}, expected one of {tuple(COLOURS)}": self.input.colour not in COLOURS,
            f"{channels} channels for colour {self.input.colour}": COLOURS.get(self.input.colour, channels) != channels,
            f"framing {self.input.framing!r}, expected one of {FRAMINGS}": self.input.framing not in FRAMINGS,
            f"input {self.input.shape}, expected whole numbers": not all(map(_is_index, self.input.shape)),
            f"input of {height}x{width}, expected a square": height != width or height < 1,
            f"outputs {sorted(self.outputs)}, expected {sorted(OUTPUTS)}": set(self.outputs) != set(OUTPUTS),
            f"outputs {self.outputs}, expected whole numbers from 0 on": not all(map(_is_index, self.outputs.values())),
            f"outputs {self.outputs}, expected two": len(set(self.outputs.values())) < len(self.outputs),
            f"name {self.name!r}, expected a word": not isinstance(self.name, str),
            f"labels {self.labels}, expected words": not all(isinstance(label, str) for label in self.labels),
            f"accuracy {self.accuracy}, expected numbers": not all(map(_is_number, self.accuracy.values())),
            "labels that repeat": len(set(self.labels)) < len(self.labels),
            f"temperature {self.temperature}, expected above 0": not 0 < self.temperature < math.inf,
            f"threshold {self.threshold}, expected 0..1": not 0 <= self.threshold <= 1,
            f"none_threshold {self.none_threshold}, expected 0..1": not 0 <= (self.none_threshold or 0) <= 1,
            "none_threshold and the class none go together": (self.none_threshold is None) == ("none" in self.labels),
        }
        found = [problem for problem, present in problems.items() if present]
        if found:
            raise ContractError(f"contract of {self.name}: {'; '.join(found)}. Convert the model again.")

    def to_json(self) -> dict[str, Any]:
        """As plain dictionaries, lists and numbers."""
        fields: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return fields


def _is_index(number: object) -> bool:
    return type(number) is int and number >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def read_contract(path: Path) -> Contract:
    """Reads a contract. Raises ContractError if it is unreadable, incomplete, or has an unknown key."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        height, width, channels = fields["input"].pop("shape")
        spec = InputSpec((height, width, channels), **fields.pop("input"))
        return Contract(**{**fields, "labels": tuple(fields["labels"])}, input=spec)
    except ContractError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ContractError(f"{path}: not a model's contract ({error!r}). Convert the model again.") from error


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
