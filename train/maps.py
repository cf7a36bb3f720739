"""``python -m train maps PICTURE``: what each layer of a trained network makes of a picture, as pictures."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from edge_app.errors import ModelNotFound, RunError
from edge_app.images import decode_file
from edge_app.models import assets_dir, default_model
from edge_app.preprocess import frame_to_input
from train.map_plots import Seen, plot_layer
from train.models import flattened
from train.source import SUFFIX, input_spec, load_chain

Float32 = npt.NDArray[np.float32]

COMMAND = "python -m train maps"
FOLDER = Path("runs/maps")
SHORT = {  # Keras's own names are counted over all networks of a process: conv2d_7 may be the first of this one
    "Flip": ("flip", "flip"),
    "Conv2D": ("conv2d", "conv"),
    "MaxPooling2D": ("max_pooling2d", "pool"),
    "GlobalAveragePooling2D": ("global_average_pooling2d", "average"),
    "BatchNormalization": ("batch_normalization", "norm"),
    "Dropout": ("dropout", "dropout"),
    "Flatten": ("flatten", "flatten"),
    "Dense": ("dense", "dense"),
}


@dataclass(frozen=True)
class Layer:
    """A layer's name, whether it is a convolution, and what it gives for one picture: (H, W, channels) or (units,)."""

    name: str
    is_convolution: bool
    values: Float32


def activations(network: keras.Model, pixels: npt.NDArray[np.uint8]) -> list[Layer]:
    """Every layer of ``network``, one chain, for model-ready pixels uint8 (H, W, C), as it answers outside training.

    Layers that have no name of their own are counted by kind: conv1, norm1, conv2, ...
    """
    counts: dict[str, int] = {}
    tensor = keras.ops.convert_to_tensor(pixels[np.newaxis].astype(np.float32))
    found = []
    for operation in flattened(network):
        tensor = operation(tensor)
        kind = type(operation).__name__
        auto, name = SHORT.get(kind, ("", operation.name))
        if auto and not operation.name.removeprefix(auto).strip("_0123456789"):
            counts[name] = counts.get(name, 0) + 1
            name = f"{name}{counts[name]}"
        else:
            name = operation.name
        found.append(Layer(name, kind == "Conv2D", np.asarray(keras.ops.convert_to_numpy(tensor)[0], np.float32)))
    return found


def chosen(layers: list[Layer], name: str | None) -> list[Layer]:
    """The layer of that name, or without one all convolutions. Raises RunError, naming the layers there are."""
    if name is None:
        return [layer for layer in layers if layer.is_convolution]
    named = [layer for layer in layers if layer.name == name]
    if not named:
        raise RunError(f"no layer {name!r}. Name one of {', '.join(layer.name for layer in layers)} with --layer.")
    return named


def find_model(model: str) -> Path:
    """A run's folder or a checkpoint by its path, or the checkpoint kept of an installed model, by its name.

    Raises ModelNotFound, naming the checkpoints there are.
    """
    folder = assets_dir() / "checkpoints"
    kept = folder / f"{model}{SUFFIX}"
    if Path(model).name == model and kept.is_file():
        return kept
    if Path(model).exists():
        return Path(model)
    there_are = ", ".join(sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}")))
    raise ModelNotFound(f"no trained network {model!r}. Name a run's folder, or one of those kept: {there_are}.")


def main(argv: list[str]) -> int:
    """Writes a picture for each layer asked for; returns the exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("picture", metavar="PICTURE", type=Path, help="a picture file")
    parser.add_argument("--model", metavar="NAME|RUN", help="a kept checkpoint or a run's folder (the app's choice)")
    parser.add_argument("--layer", metavar="NAME", help="one layer (all convolutions); a wrong name lists them")
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"where to ({FOLDER}/MODEL-PICTURE)")
    args = parser.parse_args(argv)
    frame_rgb = decode_file(args.picture)
    path = find_model(args.model or default_model())
    source = load_chain(path)
    name = path.resolve().name if source.is_run else source.name
    pixels = frame_to_input(frame_rgb, input_spec(source))  # as the app would frame it
    seen, layers = Seen(name, frame_rgb, pixels), activations(source.network, pixels)
    out_dir = args.out or FOLDER / f"{name}-{args.picture.stem}"
    for layer in chosen(layers, args.layer):
        path = out_dir / f"{layer.name}.png"
        plot_layer(seen, layer.name, layer.values, source.labels, path)
        print(f"{layer.name:14} {' x '.join(map(str, layer.values.shape)):14} {path}", flush=True)
    return 0
