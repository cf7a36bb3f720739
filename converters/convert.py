"""One conversion: export, quantize, measure through edge_app's own classifier, and only then install."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from converters.card import card, facts
from converters.compensate import compensated
from converters.data import Data, calibration_pixels
from converters.equalize import equalize
from converters.fold import fold_batch_norms
from converters.install import install, json_bytes
from converters.measure import Measured, measure, refer
from converters.quantize import EIGHT_BITS, export_float32, quantize
from edge_app.errors import ConversionError
from edge_app.models import CARD
from train.source import Source, input_spec

UInt8 = npt.NDArray[np.uint8]


def convert(source: Source, modes: list[str], data: Data, out_dir: Path, debug: bool = False) -> Iterator[Measured]:
    """Converts ``source`` into ``out_dir``, a model, contract and card a mode, each given when it is installed; an old
    one stays until all is well with the new.

    With ``debug`` every layer is measured. Raises ConversionError, when all modes are done, if one of them does not say
    what the trained network says.
    """
    calibration = calibration_pixels(data, input_spec(source), source.is_live, source.config.seed)
    network = prepared(source.network, calibration)
    float32_models = exports(network, modes, calibration)
    reference = refer(source, network, data)
    refused = []
    for mode in modes:
        with tempfile.TemporaryDirectory() as folder:
            model_file = Path(folder) / "model.tflite"
            model_file.write_bytes(quantize(float32_models[mode], mode, calibration))
            try:
                measured = measure(source, mode, model_file, data, reference, debug=debug)
            except ConversionError as error:
                refused.append(str(error))
                continue
            content = model_file.read_bytes()
        name = measured.contract.name
        speeds = known_speeds(out_dir / f"{name}{CARD}", measured.contract.sha256)
        known = facts(measured, source, len(calibration), speeds)
        files = {
            f"{name}.tflite": content,
            f"{name}.json": json_bytes(measured.contract.to_json()),
            f"{name}{CARD}": json_bytes(known),
            f"{name}.md": card(known).encode(),
        }
        install({out_dir / file: content for file, content in files.items()})
        yield measured
    if refused:
        raise ConversionError("\n".join(refused))


def known_speeds(card_file: Path, digest: str) -> list[dict[str, Any]]:
    """What the benchmark measured of a .tflite with the SHA-256 ``digest``, if its card is there already."""
    try:
        known = json.loads(card_file.read_text(encoding="utf-8"))
        return list(known["speeds"]) if known["contract"]["sha256"] == digest else []
    except (OSError, ValueError, TypeError, KeyError):  # no card, or one of another version: it is written anew
        return []


def prepared(network: keras.Model, calibration: UInt8) -> keras.Model:
    """A network that says the same and quantizes better; ``calibration`` is model-ready pixels uint8 (N, H, W, C)."""
    plain = fold_batch_norms(network)
    equalize(plain, calibration)
    return plain


def exports(network: keras.Model, modes: Sequence[str], calibration: UInt8) -> dict[str, bytes]:
    """What each mode is made of: a ``prepared`` network as a .tflite of float32, for modes of 8 bits with weights that
    are whole steps already."""
    plain = export_float32(network)
    whole = export_float32(compensated(network, calibration)) if EIGHT_BITS.intersection(modes) else plain
    return {mode: whole if mode in EIGHT_BITS else plain for mode in modes}
