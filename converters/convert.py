"""One conversion: export, quantize, measure through edge_app's own classifier, and only then install."""

import functools
import tempfile
from pathlib import Path

from converters.card import write_card
from converters.data import Data, calibration_pixels
from converters.fold import fold_batch_norms
from converters.measure import Measured, input_spec, measure
from converters.quantize import export_float32, quantize
from train.files import write_atomically, write_json
from train.models import CNNS
from train.source import Source


def convert(source: Source, modes: list[str], data: Data, out_dir: Path) -> list[Measured]:
    """Converts ``source`` into ``out_dir``, a .tflite, contract and card a mode; an old one stays until all is well.

    The model file is moved into place before its contract: a crash in between leaves a digest that does not match,
    which is a clear error, never a wrong answer.
    """
    network = fold_batch_norms(source.network) if source.config.model in CNNS else source.network
    float32_model = export_float32(network)
    calibration = calibration_pixels(data, input_spec(source), source.is_live, source.config.seed)
    done = []
    for mode in modes:
        with tempfile.TemporaryDirectory() as folder:
            model_file = Path(folder) / "model.tflite"
            model_file.write_bytes(quantize(float32_model, mode, calibration))
            measured = measure(source, mode, model_file, data)
            content = model_file.read_bytes()
        path = out_dir / f"{measured.contract.name}.tflite"
        write_atomically(path, functools.partial(Path.write_bytes, data=content))
        write_json(path.with_suffix(".json"), measured.contract.to_json())
        write_card(measured, source, path.with_suffix(".md"))
        done.append(measured)
    return done
