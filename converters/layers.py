"""Which layer of a .tflite does not do what the trained one does? Each is looked at alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.schema_py_generated import BuiltinOperator
from ai_edge_quantizer.utils.tfl_flatbuffer_utils import read_model

from edge_app.classifier import dequantize, input_codes
from train.models import flattened

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

WITH_WEIGHTS = (BuiltinOperator.CONV_2D, BuiltinOperator.FULLY_CONNECTED)


@dataclass(frozen=True)
class LayerError:
    """A layer with weights: its mean absolute error as a share of its output's standard deviation."""

    name: str
    error: float


def layer_errors(network: keras.Model, model_file: Path, pixels: UInt8) -> list[LayerError]:
    """Each layer's own error on model-ready pixels uint8 (N, H, W, C), whatever the layers before it did.

    A layer of the exported ``network``, one chain of layers, its weights not rounded, is given what the .tflite's
    layers before it gave, and its output is compared with the .tflite's. Logits are compared as far as the file can
    hold them.
    """
    details, outputs = outputs_of_layers(model_file, pixels)
    given = pixels.astype(np.float32)
    errors = []
    for steps, detail, output in zip(segments(network), details, outputs, strict=True):
        expected = given
        for step in steps:
            expected = np.asarray(step(expected))
        given = output
        name = steps[-1].name
        if name == "logits":
            expected = expected.clip(*held_range(detail))
        errors.append(LayerError(name, float(np.abs(expected - output).mean() / (expected.std() + 1e-9))))
    return errors


def held_range(detail: dict[str, Any]) -> tuple[float, float]:
    """The least and the greatest value that a tensor can hold, from its interpreter's detail."""
    scale, zero_point = detail["quantization"]
    if not scale:
        return -np.inf, np.inf
    info = np.iinfo(detail["dtype"])
    return (info.min - zero_point) * scale, (info.max - zero_point) * scale


def outputs_of_layers(model_file: Path, pixels: UInt8) -> tuple[list[dict[str, Any]], list[Float32]]:
    """What every layer with weights gives, in order: the tensor's detail, and its values float32 (N, ...)."""
    graph = read_model(model_file)
    indices = [
        int(operator.outputs[0])
        for operator in graph.subgraphs[0].operators
        if graph.operatorCodes[operator.opcodeIndex].builtinCode in WITH_WEIGHTS
    ]
    interpreter = Interpreter(
        str(model_file),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    taken = interpreter.get_input_details()[0]
    codes = input_codes(taken)
    rows = []
    for image in pixels:
        interpreter.set_tensor(taken["index"], codes[image][np.newaxis])
        interpreter.invoke()
        rows.append([dequantize(interpreter.get_tensor(index)[0], details[index]) for index in indices])
    return [details[index] for index in indices], [np.stack(column) for column in zip(*rows, strict=True)]


def segments(network: keras.Model) -> Iterator[list[Any]]:
    """A chain's operations, parted after each Conv2D and Dense."""
    part: list[Any] = []
    for operation in flattened(network):
        part.append(operation)
        if isinstance(operation, keras.layers.Conv2D | keras.layers.Dense):
            yield part
            part = []
