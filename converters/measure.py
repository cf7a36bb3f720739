"""What a converted model is: measured through the app's own classifier, on validation and test pictures."""

from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from converters.confidence import Confidence, cross_validate, fit_fashion, fit_live
from converters.data import Data, frames_to_input, parity_pixels, rows_of
from converters.parity import Parity, compare, require
from edge_app.classifier import Classifier, make_interpreter
from edge_app.contract import Contract, InputSpec, sha256
from edge_app.preprocess import images_to_input
from train.data import Split, one_hot
from train.files import write_json
from train.judge import Judgement, judge
from train.metrics import ClassReport, accuracy, class_reports, confusion
from train.mixture import target
from train.pictures import PHOTOS, Collection, Layout, Picture
from train.source import Source

Float32 = npt.NDArray[np.float32]

TEST = "fashion-mnist test"
VAL = "fashion-mnist val"


@dataclass(frozen=True)
class Measured:
    """A contract and what it does not say: parity with Keras, size, each class on the test images, real pictures.

    ``confidence`` is a live model's, None for others.
    """

    contract: Contract
    parity: Parity
    size_bytes: int
    classes: list[ClassReport]
    pictures: dict[str, Judgement]
    confidence: Confidence | None


@dataclass(frozen=True)
class Seen:
    """A collection's validation pictures and a model's logits for them, float32 (N, classes)."""

    rows: list[Picture]
    logits: Float32


def output_indices(path: Path) -> dict[str, int]:
    """Where "logits" and "features" are among the interpreter's output details, whose order no signature keeps."""
    interpreter, _ = make_interpreter(path, 1)
    tensors = [detail["index"] for detail in interpreter.get_output_details()]
    named = interpreter.get_signature_runner("serving_default").get_output_details()
    return {name: tensors.index(detail["index"]) for name, detail in named.items()}


def input_spec(source: Source) -> InputSpec:
    """What a network is given by the app."""
    height, width, channels = source.network.input_shape[1:]
    framing = "whole" if source.is_live else "object"
    return InputSpec((height, width, channels), "grey" if channels == 1 else "rgb", framing)


def draft_contract(source: Source, mode: str, model_file: Path) -> Contract:
    """The contract of a fresh .tflite, before anything about it was measured."""
    return Contract(
        name=source.name if mode == "int8" else f"{source.name}-{mode}",
        architecture=source.config.model,
        variant="live" if source.is_live else "fashion-mnist",
        sha256=sha256(model_file),
        labels=source.labels,
        input=input_spec(source),
        outputs=output_indices(model_file),
        quantization=mode,
        temperature=1.0,
        threshold=0.0,
        none_threshold=1.0 if source.is_live else None,
        recipe=source.config.to_json()["recipe"] | {"seed": source.config.seed},
        data=source.config.data,
        versions=source.result["versions"] | {n: version(n) for n in ("ai-edge-quantizer", "ai-edge-litert")},
        accuracy={},
    )


def look(classifier: Classifier, path: Path, layout: Layout) -> Seen:
    """A collection's validation pictures as the app would see them. Raises DataError."""
    with Collection(path, layout) as collection:
        rows = rows_of(collection, "val")
        return Seen(rows, classifier.logits(frames_to_input(collection, rows, classifier.contract.input)))


def measure(source: Source, mode: str, model_file: Path, data: Data) -> Measured:
    """Parity, confidence (on validation pictures) and accuracy of a .tflite; writes its contract beside it.

    Raises ConversionError if parity is beyond the mode's tolerance.
    """
    contract_file = model_file.with_suffix(".json")
    contract = draft_contract(source, mode, model_file)
    write_json(contract_file, contract.to_json())
    classifier = Classifier.load(str(model_file))

    pixels = parity_pixels(data, contract.input, source.is_live)
    expected = source.network.predict(pixels, batch_size=100, verbose=0)["logits"]
    parity = compare(expected, classifier.logits(pixels))
    require(parity, mode)

    val, test = data.fashion_mnist.val, data.fashion_mnist.test
    val_logits, test_logits = (logits_of(classifier, split) for split in (val, test))
    seen = {layout: look(classifier, path, layout) for layout, path in data.pictures.items()}
    pictures = {layout.name: judge(contract.labels, s.rows, s.logits) for layout, s in seen.items()}
    matrix = confusion(test.labels, test_logits.argmax(axis=-1), len(contract.labels))
    confidence = None
    if source.is_live:
        photos = seen[PHOTOS]
        right = np.stack([target(row.classes) for row in photos.rows])
        fitted = fit_live(right, photos.logits)
        confidence = cross_validate(right, photos.logits, [row.person for row in photos.rows], source.config.seed)
    else:
        fitted = fit_fashion(one_hot(val.labels), val_logits)
    contract = replace(
        contract,
        temperature=fitted.temperature,
        threshold=fitted.threshold,
        none_threshold=fitted.none_threshold,
        data=source.config.data | data.digests,
        accuracy={VAL: accuracy(val.labels, val_logits), TEST: accuracy(test.labels, test_logits)}
        | {f"{name} val": found.right for name, found in pictures.items()},
    )
    write_json(contract_file, contract.to_json())
    reports = class_reports(matrix, contract.labels)[:10]  # none is not among the test images
    return Measured(contract, parity, model_file.stat().st_size, reports, pictures, confidence)


def logits_of(classifier: Classifier, split: Split) -> Float32:
    """Fashion-MNIST images as they are -> logits float32 (N, classes)."""
    return classifier.logits(images_to_input(split.images, classifier.contract.input.shape))
