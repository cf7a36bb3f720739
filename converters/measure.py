"""What a converted model is: measured through the app's own classifier, on validation and test pictures."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from converters.confidence import Confidence, cross_validate, fit_fashion, fit_live
from converters.data import Data, Prepared, parity_pixels, validation_pictures
from converters.layers import LayerError, held_range, layer_errors
from converters.parity import Parity, compare, is_within, require
from edge_app.classifier import Classifier
from edge_app.contract import Contract, sha256
from edge_app.errors import ConversionError
from edge_app.preprocess import images_to_input
from edge_app.runtime import make_interpreter
from train.data import one_hot
from train.files import write_json
from train.judge import Judgement, judge
from train.metrics import ClassReport, accuracy, class_reports, confusion
from train.mixture import target
from train.pictures import PHOTOS, Layout
from train.progress import Progress
from train.source import Source, input_spec

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

TEST = "fashion-mnist test"
VAL = "fashion-mnist val"
LAYER_IMAGES = 50
BATCH = 100
LEAST_EQUAL, MOST_LOST = 0.99, 0.003  # of labels, of accuracy; what a conversion has to keep of its own kind
TELLING = 3000  # pictures: of fewer a few that changed by chance would be that much


@dataclass(frozen=True)
class Reference:
    """What the trained network in float32 says of the pictures that every mode is measured on.

    ``exported`` is the network that the .tflite was made from, its weights not rounded. ``parity_logits`` float32
    (1000, classes) are of ``parity_pixels`` uint8 (1000, H, W, C); ``own_logits`` float32 (N, classes) of the
    validation pictures of its own kind: Fashion-MNIST's, or a live model's ``pictures`` in turn.
    """

    exported: keras.Model
    pictures: dict[Layout, Prepared]
    parity_pixels: UInt8
    parity_logits: Float32
    own_logits: Float32


@dataclass(frozen=True)
class Kept:
    """What a conversion keeps on validation pictures of the model's own kind; shares are 0..1.

    ``agreement``: labels that equal the trained network's in float32. ``accuracy`` and ``float32_accuracy``: labels
    that are right.
    """

    agreement: float
    accuracy: float
    float32_accuracy: float
    count: int


@dataclass(frozen=True)
class Measured:
    """A contract and what it does not say: parity with Keras, size, each class on the test images, real pictures.

    ``confidence`` is a live model's, None for others. ``layers`` is empty unless asked for.
    """

    contract: Contract
    parity: Parity
    kept: Kept
    size_bytes: int
    classes: list[ClassReport]
    pictures: dict[str, Judgement]
    confidence: Confidence | None
    layers: list[LayerError]


def refer(source: Source, exported: keras.Model, data: Data) -> Reference:
    """Asks the trained network, once for all modes."""
    spec = input_spec(source)
    pictures = validation_pictures(data, spec)
    parity = parity_pixels(data, pictures, spec, source.is_live)
    fashion = images_to_input(data.fashion_mnist.val.images, spec.shape)
    own = np.concatenate([prepared.pixels for prepared in pictures.values()]) if source.is_live else fashion

    def predict(pixels: UInt8) -> Float32:
        return np.asarray(source.network.predict_on_batch(pixels)["logits"])

    parity_logits, own_logits = ask("asking the trained network", predict, [parity, own])
    return Reference(exported, pictures, parity, parity_logits, own_logits)


def ask(title: str, logits_of: Callable[[UInt8], Float32], sets: Sequence[UInt8]) -> list[Float32]:
    """The logits float32 (N, classes) of each set of model-ready pixels uint8 (N, H, W, C), asked in batches.

    A line on standard error says how long it still takes.
    """
    found: list[list[Float32]] = [[] for _ in sets]
    done = 0
    with Progress(title, sum(map(len, sets)), sys.stderr) as progress:
        for answers, pixels in zip(found, sets, strict=True):
            for start in range(0, len(pixels), BATCH):
                answers.append(logits_of(pixels[start : start + BATCH]))
                done += len(answers[-1])
                progress.at(done)
    return [np.concatenate(answers) for answers in found]


def output_indices(path: Path) -> dict[str, int]:
    """Where "logits" and "features" are among the interpreter's output details, whose order no signature keeps."""
    interpreter, _ = make_interpreter(path.read_bytes(), 1, str(path))
    tensors = [detail["index"] for detail in interpreter.get_output_details()]
    named = interpreter.get_signature_runner("serving_default").get_output_details()
    return {name: tensors.index(detail["index"]) for name, detail in named.items()}


def logits_range(path: Path) -> tuple[float, float]:
    """The least and the greatest logit that a .tflite can give."""
    interpreter, _ = make_interpreter(path.read_bytes(), 1, str(path))
    return held_range(interpreter.get_signature_runner("serving_default").get_output_details()["logits"])


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


def measure(source: Source, mode: str, model_file: Path, data: Data, reference: Reference, *, debug: bool) -> Measured:
    """Parity, confidence (on validation pictures) and accuracy of a .tflite, beside which goes a draft of its contract.

    With ``debug`` each layer of the exported network is measured. Raises ConversionError if parity is beyond the mode's
    tolerance, or if too little is kept of its own validation pictures.
    """
    contract = draft_contract(source, mode, model_file)
    write_json(model_file.with_suffix(".json"), contract.to_json())
    classifier = Classifier.load(str(model_file))

    parity, layers = check(mode, classifier, model_file, reference, debug)
    val, test = data.fashion_mnist.val, data.fashion_mnist.test
    sets = [prepared.pixels for prepared in reference.pictures.values()]
    sets.append(images_to_input(val.images, contract.input.shape))
    *of_pictures, val_logits = ask(f"measuring {contract.name}", classifier.logits, sets)
    logits = dict(zip(reference.pictures, of_pictures, strict=True))
    rows = {layout: prepared.rows for layout, prepared in reference.pictures.items()}
    pictures = {layout.name: judge(contract.labels, rows[layout], logits[layout]) for layout in rows}
    confidence = None
    if source.is_live:
        right = {layout: np.stack([target(row.classes) for row in some]) for layout, some in rows.items()}
        kept = keep(np.concatenate([*right.values()]), reference.own_logits, np.concatenate([*logits.values()]))
        fitted = fit_live(right[PHOTOS], logits[PHOTOS])
        people = [row.person for row in rows[PHOTOS]]
        confidence = cross_validate(right[PHOTOS], logits[PHOTOS], people, source.config.seed)
    else:
        kept = keep(one_hot(val.labels), reference.own_logits, val_logits)
        fitted = fit_fashion(one_hot(val.labels), val_logits)
    require_kept(kept, mode)

    test_pixels = images_to_input(test.images, contract.input.shape)
    (test_logits,) = ask(f"testing {contract.name}", classifier.logits, [test_pixels])
    matrix = confusion(test.labels, test_logits.argmax(axis=-1), len(contract.labels))
    contract = replace(
        contract,
        temperature=fitted.temperature,
        threshold=fitted.threshold,
        none_threshold=fitted.none_threshold,
        data=source.config.data | data.digests,
        accuracy={VAL: accuracy(val.labels, val_logits), TEST: accuracy(test.labels, test_logits)}
        | {f"{name} val": found.right for name, found in pictures.items()},
    )
    reports = class_reports(matrix, contract.labels)[:10]  # none is not among the test images
    return Measured(contract, parity, kept, model_file.stat().st_size, reports, pictures, confidence, layers)


def check(
    mode: str, classifier: Classifier, model_file: Path, reference: Reference, debug: bool
) -> tuple[Parity, list[LayerError]]:
    """Parity with the trained network; with ``debug`` the error of each layer.

    Raises ConversionError, naming layers, if it is beyond the mode's tolerance.
    """
    pixels = reference.parity_pixels
    parity = compare(reference.parity_logits, classifier.logits(pixels), logits_range(model_file))
    needed = debug or not is_within(parity, mode)
    layers = layer_errors(reference.exported, model_file, pixels[:LAYER_IMAGES]) if needed else []
    require(parity, mode, layers)
    return parity, layers


def keep(right: Float32, trained: Float32, converted: Float32) -> Kept:
    """What of the ``trained`` network's logits, float32 (N, classes), is kept in the ``converted`` ones.

    ``right`` is float32 (N, classes), 1 for every class that is right for a row.
    """
    rows, before, after = np.arange(len(right)), trained.argmax(axis=-1), converted.argmax(axis=-1)
    shares = (before == after).mean(), right[rows, after].mean(), right[rows, before].mean()
    agreement, accuracy, float32_accuracy = (float(share) for share in shares)
    return Kept(agreement, accuracy, float32_accuracy, len(right))


def require_kept(kept: Kept, mode: str) -> None:
    """Raises ConversionError if TELLING pictures or more show that a conversion loses too much."""
    lost = round((kept.float32_accuracy - kept.accuracy) * kept.count)  # pictures: shares are rounded
    if kept.count < TELLING or (kept.agreement >= LEAST_EQUAL and lost <= round(MOST_LOST * kept.count, 6)):
        return
    raise ConversionError(
        f"{mode} loses too much: of {kept.count} validation pictures of its own kind it names {kept.accuracy:.2%} "
        f"rightly, the trained network {kept.float32_accuracy:.2%} (limit {100 * MOST_LOST:.1f} points less), and "
        f"labels are equal for {kept.agreement:.2%} (limit {LEAST_EQUAL:.0%}). It was not installed. Train it anew or "
        "further; a CNN for cameras may bear 8 bits better after `python -m train MODEL --recipe live --start-from RUN "
        "--quantization-aware --out OTHER`."
    )
