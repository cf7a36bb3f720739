"""What vgg19 begins with: ImageNet's weights, or those of one that was tuned before and is to be tuned further.

The latter is a run, or a converted model, which has its weights in 8 bits.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier
from edge_app.errors import RunError
from edge_app.labels import LIVE
from edge_app.runtime import make_interpreter
from train.models import build_vgg19_base, build_vgg19_head, flattened, join_vgg19
from train.recipes import Recipe
from train.source import load_source
from train.staff import CONVERTED
from train.vgg19 import load_base, weights_digest

Float32 = npt.NDArray[np.float32]
Weights = dict[str, list[Float32]]

LAYER = re.compile(r"[^/;]+/(\w+?)(?:_1)?/")  # vgg19_1/block1_conv1_1/convolution, as Keras 3 exports it


@dataclass(frozen=True)
class Beginning:
    """What vgg19 begins with: a ``base``, and a ``head`` if it was tuned before, then with the ``name`` it had; and
    digests of the weights, by what they are."""

    base: keras.Model | None = None
    head: keras.Model | None = None
    name: str = ""
    digests: dict[str, str] = field(default_factory=dict)

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe, in which no head learns alone that was tuned before."""
        if self.head is None or recipe.tuning is None:
            return recipe
        return replace(recipe, tuning=replace(recipe.tuning, head_epochs=0))


def begin(size: int, backbone_weights: str | None, start_from: Path | None) -> Beginning:
    """ImageNet's weights, from a file or Keras's download, or those of a tuned vgg19. Raises RunError."""
    if start_from is None:
        base = load_base(size, backbone_weights)
        return Beginning(base, digests={"vgg19 base": weights_digest(base)})
    name, base, head = load_tuned(start_from, size)
    return Beginning(base, head, name, {f"start {name}": weights_digest(join_vgg19(base, head))})


def load_tuned(path: Path, size: int) -> tuple[str, keras.Model, keras.Model]:
    """The name, base and head of a vgg19 for cameras, for pictures of ``size`` x ``size`` pixels, whatever size it had.

    The head averages over places, so the weights fit any size. Raises RunError for any other network.
    """
    base = build_vgg19_base(size, None)
    head = build_vgg19_head(base.output_shape[1:], live=True)
    name, weights = _converted(path) if path.suffix.lower() == CONVERTED else _run(path)
    for layer in flattened(join_vgg19(base, head)):
        if isinstance(layer, keras.layers.Layer) and layer.weights:
            layer.set_weights(weights[layer.name])
    return name, base, head


def _run(path: Path) -> tuple[str, Weights]:
    source = load_source(path)
    if source.config.model != "vgg19" or not source.is_live:
        raise _not_tuned(path, source.config.name)
    layers = (layer for layer in flattened(source.network) if isinstance(layer, keras.layers.Layer))
    return source.config.name, {layer.name: layer.get_weights() for layer in layers}


def _converted(path: Path) -> tuple[str, Weights]:
    contract = Classifier.load(str(path), threads=1).contract
    if contract.architecture != "vgg19" or contract.labels != LIVE or contract.quantization != "int8":
        raise _not_tuned(path, f"{contract.name} ({contract.quantization})")
    return contract.name, weights_of(path)


def _not_tuned(path: Path, what: str) -> RunError:
    return RunError(
        f"{path}: {what} cannot be tuned further. Name the folder of a run of vgg19 by --recipe live, or an int8 "
        f"{CONVERTED} of one, with --start-from."
    )


def weights_of(path: Path) -> Weights:
    """Kernels (H, W, in, out) or (in, out) and biases (out,) by layer, float32, of a vgg19 in 8 bits.

    Conversion turned the first kernels from BGR to RGB; here they are turned back.
    """
    interpreter, _ = make_interpreter(path, threads=1)
    found: dict[str, dict[str, Float32]] = {}
    for detail in interpreter.get_tensor_details():
        scales, name = detail["quantization_parameters"]["scales"], LAYER.match(detail["name"])
        is_kernel = detail["name"].endswith(("/convolution", "/MatMul"))
        if name and (is_kernel or (detail["dtype"] == np.int32 and len(scales))):
            values = interpreter.get_tensor(detail["index"])
            values = (values * scales.reshape(-1, *[1] * (values.ndim - 1))).astype(np.float32)
            part = "kernel" if is_kernel else "bias"
            found.setdefault(name[1], {})[part] = np.moveaxis(values, 0, -1) if is_kernel else values
    weights = {layer: [parts["kernel"], parts["bias"]] for layer, parts in found.items()}
    weights["block1_conv1"][0] = weights["block1_conv1"][0][:, :, ::-1]
    return weights
