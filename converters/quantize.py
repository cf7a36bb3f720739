"""Export to float32 .tflite, then Google's ai-edge-quantizer for the other modes."""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from ai_edge_quantizer import quantizer, recipe
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.recipe_manager import RecipeManager

from edge_app.errors import ConversionError

UInt8 = npt.NDArray[np.uint8]

MODES = ("int8", "dynamic", "float16", "float32")
CALIBRATION_PER_CLASS = 50


def export_float32(network: keras.Model) -> bytes:
    """The network as a .tflite of float32 that takes one picture (1, H, W, C) at a time. Needs TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise ConversionError("export needs TensorFlow: unset KERAS_BACKEND, or set it to tensorflow.")
    signature = [keras.InputSpec(shape=(1, *network.input_shape[1:]), dtype="float32", name="pixels")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float32.tflite"
        network.export(path, format="litert", input_signature=signature, verbose=False)
        return path.read_bytes()


def quantization_recipe(mode: str) -> list[dict[str, Any]]:
    """ai-edge-quantizer's recipe of a mode.

    int8: 8-bit weights, one scale a channel, 8-bit activations, integers in and out. dynamic: 8-bit weights, float32
    activations. float16: weights stored as float16.
    """
    if mode == "int8":
        return recipe.static_wi8_ai8()
    if mode == "dynamic":
        return recipe.dynamic_wi8_afp32()
    manager = RecipeManager()
    manager.add_weight_only_config(
        regex=".*",
        operation_name=TFLOperationName.ALL_SUPPORTED,
        num_bits=16,
        algorithm_key=recipe.AlgorithmName.FLOAT_CASTING,
    )
    return manager.get_quantization_recipe()


def quantize(float32_model: bytes, mode: str, calibration: UInt8) -> bytes:
    """A float32 .tflite in another mode; ``calibration`` is model-ready pixels uint8 (N, H, W, C), used by int8."""
    if mode == "float32":
        return float32_model
    tool = quantizer.Quantizer(float32_model, quantization_recipe(mode))
    statistics = None
    if tool.need_calibration:
        samples = [{"pixels": image[np.newaxis].astype(np.float32)} for image in calibration]
        statistics = tool.calibrate({"serving_default": samples}, num_threads=1)
    result = tool.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def calibration_indices(labels: UInt8, per_class: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of ``per_class`` random examples of each class."""
    random = np.random.default_rng(seed)
    return np.concatenate(
        [random.permutation(np.flatnonzero(labels == label))[:per_class] for label in np.unique(labels)]
    )
