"""One trained network behind the runtimes that people use: each takes one picture and gives its logits."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from ai_edge_litert.tools.flatbuffer_utils import convert_object_to_bytearray, read_model_from_bytearray

from converters.quantize import MODES
from edge_app.classifier import input_codes
from edge_app.runtime import make_interpreter

UInt8 = npt.NDArray[np.uint8]
Array = npt.NDArray[np.generic]

ONNX = "float32.onnx"
INSTALL = 'pip install -e ".[benchmark]"'


@dataclass(frozen=True)
class Engine:
    """``ready`` makes model-ready pixels uint8 (H, W, C) what ``call`` takes; only ``call`` is timed.

    ``call`` gives the logits, as floats or 8-bit codes, with one picture's axis before them or not. ``versions`` are
    those of the packages behind it.
    """

    ready: Callable[[UInt8], Any]
    call: Callable[[Any], Array]
    versions: dict[str, str]


@dataclass(frozen=True)
class Missing:
    """Why an engine could not be had, and what to do."""

    reason: str


def engines(
    folder: Path, network: keras.Model, threads: int, with_peers: bool
) -> Iterator[tuple[str, Engine | Missing]]:
    """By name: the modes of ``folder`` in LiteRT; with peers, what else runs that network or those files."""
    makers: dict[str, Callable[[], Engine]] = {
        f"LiteRT {mode}": partial(litert, folder / f"{mode}.tflite", threads) for mode in MODES
    }
    if with_peers:
        makers |= {
            "ONNX Runtime float32": lambda: onnx_runtime(folder / ONNX, threads),
            "OpenVINO float32": lambda: openvino(folder / ONNX, threads),
            "OpenVINO int8": lambda: openvino(inlined(folder / "int8.tflite"), threads),
            "tf.function, compiled": lambda: tf_function(network),
            "keras predict": lambda: keras_predict(network),
        }
    for name, make in makers.items():
        try:
            yield name, make()
        except (ImportError, FileNotFoundError) as error:
            yield name, Missing(f"{name} is not measured ({error}). Install it: {INSTALL}")
        except RuntimeError as error:
            yield name, Missing(f"{name} is not measured: it refuses the file ({str(error).strip().splitlines()[-1]}).")


def litert(path: Path, threads: int) -> Engine:
    """The app's own runtime."""
    interpreter, package = make_interpreter(path.read_bytes(), threads, str(path))
    taken = interpreter.get_input_details()[0]
    given = interpreter.get_signature_runner("serving_default").get_output_details()["logits"]
    codes = input_codes(taken)

    def call(picture: Array) -> Array:
        interpreter.set_tensor(taken["index"], picture)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(given["index"]))

    return Engine(lambda pixels: codes[pixels][np.newaxis], call, _versions(package))


def onnx_runtime(path: Path, threads: int) -> Engine:
    """ONNX Runtime on the processor. Raises FileNotFoundError without the file."""
    _require(path)
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Engine(
        _as_float, lambda picture: np.asarray(session.run(["logits"], {"pixels": picture})[0]), _versions("onnxruntime")
    )


def openvino(path: Path, threads: int) -> Engine:
    """OpenVINO on the processor, from an .onnx or .tflite file. Raises FileNotFoundError without it."""
    _require(path)
    core = importlib.import_module("openvino").Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(path, "CPU", settings)
    request = compiled.create_infer_request()
    taken = compiled.input(0)
    logits = min(compiled.outputs, key=lambda output: output.shape[-1])  # features are more than classes
    is_float = taken.element_type.get_type_name() == "f32"

    def call(picture: Array) -> Array:
        return np.asarray(request.infer({0: picture}, share_inputs=True)[logits])

    return Engine(_as_float if is_float else _as_int8, call, _versions("openvino"))


def tf_function(network: keras.Model) -> Engine:
    """The network traced by TensorFlow and compiled by XLA."""
    tensorflow = importlib.import_module("tensorflow")
    function = tensorflow.function(lambda pixels: network(pixels, training=False)["logits"], jit_compile=True)
    return Engine(
        lambda pixels: tensorflow.constant(_as_float(pixels)),
        lambda picture: np.asarray(function(picture)),
        _versions("tensorflow"),
    )


def keras_predict(network: keras.Model) -> Engine:
    """What a tutorial would call."""
    return Engine(
        _as_float, lambda picture: np.asarray(network.predict(picture, verbose=0)["logits"]), _versions("keras")
    )


def export_onnx(network: keras.Model, path: Path) -> None:
    """Writes the network as ONNX. Raises ImportError without tf2onnx."""
    importlib.import_module("tf2onnx")
    signature = [keras.InputSpec(shape=(1, *network.input_shape[1:]), dtype="float32", name="pixels")]
    network.export(path, format="onnx", input_signature=signature, verbose=False)


def inlined(path: Path) -> Path:
    """A copy of a .tflite, beside it, with the weights inside the flatbuffer, where OpenVINO looks for them."""
    copy = path.with_name(f"inlined-{path.name}")
    copy.write_bytes(bytes(convert_object_to_bytearray(read_model_from_bytearray(path.read_bytes()))))
    return copy


def _require(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path.name}")


def _as_float(pixels: UInt8) -> npt.NDArray[np.float32]:
    return pixels.astype(np.float32)[np.newaxis]


def _as_int8(pixels: UInt8) -> npt.NDArray[np.int8]:
    """The codes of an int8 .tflite's input, whose scale is 1 and whose zero point is -128."""
    return (pixels.astype(np.int16) - 128).astype(np.int8)[np.newaxis]


def _versions(*packages: str) -> dict[str, str]:
    return {package: version(package) for package in packages}
