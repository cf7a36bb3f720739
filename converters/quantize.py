"""Export to float32 .tflite, then Google's ai-edge-quantizer for the other modes."""

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.calibrator import CalibrationMode, Calibrator
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.recipe_manager import RecipeManager

from edge_app.errors import ConversionError

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

MODES = ("int8", "dynamic", "float16", "float32")
EIGHT_BITS = {"int8", "dynamic"}  # modes whose weights have 8 bits
LEFT_OUT = 0.005  # of the calibration pictures: a few odd ones would widen the steps for all
SOFTMAX_SEES = 12.0  # at temperature 1 a logit that is lower than the greatest by this has a probability below 0.000007


def export_float32(network: keras.Model) -> bytes:
    """The network as a .tflite of float32 that takes one picture (1, H, W, C) at a time. Needs TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise ConversionError("export needs TensorFlow: unset KERAS_BACKEND, or set it to tensorflow.")
    signature = [keras.InputSpec(shape=(1, *network.input_shape[1:]), dtype="float32", name="pixels")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float32.tflite"
        network.export(path, format="litert", input_signature=signature, verbose=False)
        return path.read_bytes()


def quantization_recipe(mode: str) -> RecipeManager:
    """ai-edge-quantizer's recipe of a mode, for all operations.

    int8: 8-bit weights, one scale a channel, 8-bit activations, integers in and out. dynamic: 8-bit weights, float32
    activations. float16: weights stored as float16.
    """
    manager = RecipeManager()
    everything: dict[str, Any] = {"regex": ".*", "operation_name": TFLOperationName.ALL_SUPPORTED}
    if mode == "int8":
        manager.add_static_config(**everything, activation_num_bits=8, weight_num_bits=8)
    elif mode == "dynamic":
        manager.add_dynamic_config(**everything, num_bits=8)
    else:
        manager.add_weight_only_config(**everything, num_bits=16, algorithm_key=AlgorithmName.FLOAT_CASTING)
    return manager


def quantize(float32_model: bytes, mode: str, calibration: UInt8) -> bytes:
    """A float32 .tflite in another mode; ``calibration`` is model-ready pixels uint8 (N, H, W, C), used by int8."""
    if mode == "float32":
        return float32_model
    manager = quantization_recipe(mode)
    with warnings.catch_warnings():
        # The quantizer's own interpreters keep every tensor, which is what they are for.
        warnings.filterwarnings("ignore", "Warning: Enabling `experimental_preserve_all_tensors`")
        tool = quantizer.Quantizer(float32_model, manager.get_quantization_recipe())
        statistics = calibrate(float32_model, manager, calibration) if tool.need_calibration else None
        result = tool.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def calibrate(float32_model: bytes, manager: RecipeManager, pixels: UInt8) -> dict[str, Any]:
    """The range of every tensor over model-ready pixels uint8 (N, H, W, C), as the quantizer has it.

    It leaves out what LEFT_OUT of the pictures reach. ``Quantizer.calibrate`` averages the extremes of all pictures
    instead, and so clips the larger logits. Of the logits it is the range that a softmax can tell apart: 256 steps over
    all of it would make the two best equal too often.
    """
    count = max(1, round(LEFT_OUT * len(pixels)))

    def outermost(known: dict[str, Float32], new: dict[str, Float32]) -> dict[str, Float32]:
        low, high = (np.sort(np.append(known[end], new[end])) for end in ("min", "max"))
        return {"min": low[:count], "max": high[-count:]}

    calibrator = Calibrator(
        float32_model,
        num_threads=os.cpu_count() or 1,
        mode=CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=outermost,
    )
    samples = [{"pixels": image[np.newaxis].astype(np.float32)} for image in pixels]
    calibrator.calibrate({"serving_default": samples}, manager, cache_output=True)
    statistics: dict[str, Any] = {
        name: {"min": found["min"][-1:], "max": found["max"][:1]} for name, found in calibrator.get_model_qsvs().items()
    }
    low, high = telling_range(np.concatenate([outputs["logits"] for outputs in calibrator.get_cached_output()]))
    limits = {"min": np.array([low], np.float32), "max": np.array([high], np.float32)}
    details = Interpreter(model_content=float32_model).get_signature_runner("serving_default").get_output_details()
    return statistics | {details["logits"]["name"]: limits}


def telling_range(logits: Float32) -> tuple[float, float]:
    """Logits float32 (N, classes) -> (low, high), beyond which a logit may be cut off without a softmax seeing it.

    ``low`` is SOFTMAX_SEES below the least of the pictures' greatest logits, ``high`` as much above the greatest of
    their second greatest; neither is farther out than the logits are.
    """
    ordered = np.sort(logits, axis=-1)
    low = max(ordered[:, 0].min(), ordered[:, -1].min() - SOFTMAX_SEES)
    high = min(ordered[:, -1].max(), ordered[:, -2].max() + SOFTMAX_SEES)
    return float(low), float(high)
