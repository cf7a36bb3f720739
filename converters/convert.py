"""One conversion: export, quantize, measure through edge_app's own classifier, and only then install."""

import functools
import tempfile
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from converters.card import write_card
from converters.confidence import fit_temperature, fit_threshold
from converters.judge import share_right
from converters.parity import Parity, compare, require
from converters.quantize import CALIBRATION_PER_CLASS, calibration_indices, export_float32, quantize
from converters.source import Source
from edge_app.classifier import Classifier, make_interpreter
from edge_app.contract import Contract, InputSpec, sha256
from edge_app.labels import FASHION
from edge_app.preprocess import images_to_input
from train.data import FashionMnist, find_data, load_fashion_mnist
from train.files import write_atomically, write_json
from train.metrics import ClassReport, accuracy, class_reports, confusion
from train.pictures import PHOTOS, PRODUCTS, Layout, find_collection

PARITY_IMAGES = 1000
TEST = "fashion-mnist test"
VAL = "fashion-mnist val"


@dataclass(frozen=True)
class Data:
    """What a conversion is calibrated and measured on; ``pictures`` are collections of real ones, where at hand."""

    fashion_mnist: FashionMnist
    pictures: dict[Layout, Path]

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the collections that are archives."""
        return {path.name: sha256(path) for path in self.pictures.values() if path.is_file()}


@dataclass(frozen=True)
class Measured:
    """What a conversion was found to be: parity with Keras, size in bytes, and each class on the test images."""

    contract: Contract
    parity: Parity
    size_bytes: int
    classes: list[ClassReport]


def load_data(data_dir: str | None, seed: int) -> Data:
    """Fashion-MNIST, and those of photos and products that are in the same folder. Raises DataError."""
    folder = find_data(data_dir)
    found = {layout: find_collection(folder, layout) for layout in (PHOTOS, PRODUCTS)} if folder else {}
    pictures = {layout: path for layout, path in found.items() if path is not None}
    return Data(load_fashion_mnist(data_dir, seed), pictures)


def output_indices(path: Path) -> dict[str, int]:
    """Where "logits" and "features" are among the interpreter's output details, whose order no signature keeps."""
    interpreter, _ = make_interpreter(path, 1)
    tensors = [detail["index"] for detail in interpreter.get_output_details()]
    named = interpreter.get_signature_runner("serving_default").get_output_details()
    return {name: tensors.index(detail["index"]) for name, detail in named.items()}


def draft_contract(source: Source, mode: str, model_file: Path) -> Contract:
    """The contract of a fresh .tflite, before anything about it was measured."""
    height, width, channels = source.network.input_shape[1:]
    return Contract(
        name=source.name if mode == "int8" else f"{source.name}-{mode}",
        architecture=source.config.model,
        variant="fashion-mnist",
        sha256=sha256(model_file),
        labels=FASHION,
        input=InputSpec((height, width, channels), "grey" if channels == 1 else "rgb", "object"),
        outputs=output_indices(model_file),
        quantization=mode,
        temperature=1.0,
        threshold=0.0,
        none_threshold=None,
        recipe=source.config.to_json()["recipe"] | {"seed": source.config.seed},
        data=source.config.data,
        versions=source.result["versions"] | {n: version(n) for n in ("ai-edge-quantizer", "ai-edge-litert")},
        accuracy={},
    )


def measure(source: Source, mode: str, model_file: Path, data: Data) -> Measured:
    """Parity, confidence (on validation images) and accuracy of a .tflite; writes its contract beside it.

    Raises ConversionError if parity is beyond the mode's tolerance.
    """
    contract_file = model_file.with_suffix(".json")
    contract = draft_contract(source, mode, model_file)
    write_json(contract_file, contract.to_json())
    classifier = Classifier.load(str(model_file))

    shape, val, test = contract.input.shape, data.fashion_mnist.val, data.fashion_mnist.test
    pixels = images_to_input(val.images[:PARITY_IMAGES], shape)
    expected = source.network.predict(pixels, batch_size=100, verbose=0)["logits"]
    parity = compare(expected, classifier.logits(pixels))
    require(parity, mode)

    val_logits = classifier.logits(images_to_input(val.images, shape))
    temperature = fit_temperature(val.labels, val_logits)
    test_logits = classifier.logits(images_to_input(test.images, shape))
    pictures = {f"{layout.name} val": share_right(classifier, path, layout) for layout, path in data.pictures.items()}
    matrix = confusion(test.labels, test_logits.argmax(axis=-1), len(FASHION))
    contract = replace(
        contract,
        temperature=temperature,
        data=source.config.data | data.digests,
        threshold=fit_threshold(val.labels, val_logits, temperature),
        accuracy={VAL: accuracy(val.labels, val_logits), TEST: accuracy(test.labels, test_logits)} | pictures,
    )
    write_json(contract_file, contract.to_json())
    return Measured(contract, parity, model_file.stat().st_size, class_reports(matrix, FASHION))


def convert(source: Source, modes: list[str], data: Data, out_dir: Path) -> list[Measured]:
    """Converts ``source`` into ``out_dir``, a .tflite, contract and card a mode; an old one stays until all is well.

    The model file is moved into place before its contract: a crash in between leaves a digest that does not match,
    which is a clear error, never a wrong answer.
    """
    float32_model = export_float32(source.network)
    train = data.fashion_mnist.train
    chosen = calibration_indices(train.labels, CALIBRATION_PER_CLASS, source.config.seed)
    calibration = images_to_input(train.images[np.sort(chosen)], source.network.input_shape[1:])
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
