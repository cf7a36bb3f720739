"""What a training begins with, where it is not new weights: for vgg19 ImageNet's, or those of one that was tuned before
and is to be tuned further; for a CNN those of one that was trained before.

The tuned vgg19 is a run, or a converted model, which has its weights in 8 bits; the CNN is a run or a checkpoint.
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
from train.recipes import START, Recipe, further
from train.source import load_source, require_seed
from train.staff import CONVERTED
from train.vgg19 import load_base, weights_digest

Float32 = npt.NDArray[np.float32]
Weights = dict[str, list[Float32]]

LAYER = re.compile(r"[^/;]+/(\w+?)(?:_1)?/")  # vgg19_1/block1_conv1_1/convolution, as Keras 3 exports it


@dataclass(frozen=True)
class Beginning:
    """What vgg19 begins with: a ``base``, and a ``head`` if it was tuned before; or a trained CNN, ``network``, and
    whether it learned ``normalized``. Then also the ``name`` it had, and digests of the weights, by what they are."""

    base: keras.Model | None = None
    head: keras.Model | None = None
    network: keras.Model | None = None
    normalized: bool = False
    name: str = ""
    digests: dict[str, str] = field(default_factory=dict)

    def shortened(self, recipe: Recipe) -> Recipe:
        """The recipe, in which no head learns alone that was tuned before, and a trained CNN learns ``further``."""
        if self.network is not None:
            return further(recipe, self.normalized)
        if self.head is None or recipe.tuning is None:
            return recipe
        return replace(recipe, tuning=replace(recipe.tuning, head_epochs=0))


def begin(size: int, seed: int, backbone_weights: str | None, start_from: Path | None) -> Beginning:
    """ImageNet's weights, from a file or Keras's download, or those of a tuned vgg19. Raises RunError.

    ``seed`` has to be that of the tuned one: it says which images of Fashion-MNIST are for validation.
    """
    if start_from is None:
        base = load_base(size, backbone_weights)
        return Beginning(base, digests={"vgg19 base": weights_digest(base)})
    name, base, head = load_tuned(start_from, size, seed)
    return Beginning(base, head, name=name, digests={START + name: weights_digest(join_vgg19(base, head))})


def begin_cnn(model: str, seed: int, start_from: Path) -> Beginning:
    """A CNN for cameras that was trained before, with the same ``seed``. Raises RunError for any other."""
    if start_from.suffix == CONVERTED:
        raise RunError(
            f"a CNN does not go on from a {CONVERTED}: name its run, or assets/checkpoints/{model}.weights.h5, with "
            "--start-from."
        )
    source = load_source(start_from)
    if source.config.model != model or not source.is_live:
        raise RunError(
            f"{start_from} is {source.config.name}: {model} does not go on from it. Name a run of {model} by --recipe "
            f"live, or assets/checkpoints/{model}.weights.h5, with --start-from."
        )
    require_seed(start_from, source.config.seed, seed)
    name, network = source.config.name, source.network
    return Beginning(
        network=network,
        normalized=source.config.recipe.normalized,
        name=name,
        digests={START + name: weights_digest(network)},
    )


def load_tuned(path: Path, size: int, seed: int) -> tuple[str, keras.Model, keras.Model]:
    """The name, base and head of a vgg19 for cameras, for pictures of ``size`` x ``size`` pixels, whatever size it had.

    The head averages over places, so the weights fit any size. Raises RunError for any other network.
    """
    if not path.exists():
        raise RunError(f"{path}: not found. Name the folder of a run, or a {CONVERTED} file, with --start-from.")
    base = build_vgg19_base(size, None)
    head = build_vgg19_head(base.output_shape[1:], live=True)
    name, its_seed, weights = _converted(path) if path.suffix == CONVERTED else _run(path)
    require_seed(path, its_seed, seed)
    try:
        for layer in flattened(join_vgg19(base, head)):
            if isinstance(layer, keras.layers.Layer) and layer.weights:
                layer.set_weights(weights[layer.name])
    except (KeyError, ValueError) as error:
        raise _refused(path, f"its layers are not those of today's vgg19 ({error})") from error
    return name, base, head


def _run(path: Path) -> tuple[str, int, Weights]:
    source = load_source(path)
    if source.config.model != "vgg19" or not source.is_live:
        raise _refused(path, f"it is {source.config.name}")
    layers = (layer for layer in flattened(source.network) if isinstance(layer, keras.layers.Layer))
    return source.config.name, source.config.seed, {layer.name: layer.get_weights() for layer in layers}


def _converted(path: Path) -> tuple[str, int, Weights]:
    contract = Classifier.load(str(path), threads=1).contract
    if contract.architecture != "vgg19" or contract.variant != "live":
        raise _refused(path, f"it is {contract.name}")
    if contract.quantization != "int8":
        raise _refused(path, f"its mode is {contract.quantization}, and only int8 is read back")
    if contract.labels != LIVE:
        raise _refused(path, "it names other classes than edge_app/labels.py does today")
    return contract.name, int(contract.recipe["seed"]), weights_of(path)


def _refused(path: Path, why: str) -> RunError:
    return RunError(
        f"{path} cannot be tuned further: {why}. Name the folder of a run of vgg19 by --recipe live, or an int8 "
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
