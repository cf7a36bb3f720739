"""The weights of a converted vgg19, read back from its 8 bits into float32."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.runtime import make_interpreter

Float32 = npt.NDArray[np.float32]
Weights = dict[str, list[Float32]]

CONVERTED = ".tflite"
LAYER = re.compile(r"[^/;]+/(\w+?)(?:_1)?/")  # vgg19_1/block1_conv1_1/convolution, as Keras 3 exports it


def is_converted(path: Path) -> bool:
    """Whether it is the file of a converted model, and not a run or a checkpoint."""
    return path.suffix.lower() == CONVERTED and path.is_file()


def weights_of(path: Path) -> Weights:
    """Kernels (H, W, in, out) or (in, out) and biases (out,) by layer, float32, of a vgg19 in 8 bits.

    Conversion turned the first kernels from BGR to RGB; here they are turned back.
    """
    interpreter, _ = make_interpreter(path.read_bytes(), 1, str(path))
    found: dict[str, dict[str, Float32]] = {}
    for detail in interpreter.get_tensor_details():
        scales, name = detail["quantization_parameters"]["scales"], LAYER.match(detail["name"])
        if name is None or len(scales) != detail["shape"][0]:
            continue  # not one scale for each channel that comes out: neither kernel nor bias
        if detail["dtype"] == np.int8 and detail["name"].endswith(("/convolution", "/MatMul")):
            values = interpreter.get_tensor(detail["index"]) * scales.reshape(-1, *[1] * (len(detail["shape"]) - 1))
            found.setdefault(name[1], {})["kernel"] = np.moveaxis(values, 0, -1).astype(np.float32)
        elif detail["dtype"] == np.int32:
            values = interpreter.get_tensor(detail["index"]) * scales
            found.setdefault(name[1], {})["bias"] = values.astype(np.float32)
    weights = {layer: [parts["kernel"], parts["bias"]] for layer, parts in found.items() if len(parts) == 2}
    if first := weights.get("block1_conv1"):
        first[0] = first[0][:, :, ::-1]
    return weights
