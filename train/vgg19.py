"""Transfer learning: VGG-19's frozen base as a feature extractor, and a small head trained on its output."""

import functools
import hashlib
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from edge_app.errors import RunError
from edge_app.preprocess import images_to_input
from train.data import FashionMnist, UInt8, one_hot
from train.devices import computing_in
from train.files import write_atomically
from train.fit import Examples, Trained, fashion_phases, fit
from train.models import build_vgg19_base, build_vgg19_head, join_vgg19
from train.recipes import Config
from train.team import ALONE, Team

CHUNK = 2000
BATCH = 100


def default_size(model: str, recipe: str, on_gpu: bool) -> int:
    """Side of the input in pixels: 28 but for vgg19, which has 128 by ``live``.

    By ``article`` it is the article's 150 on a GPU, 64 on a CPU (two cores: 11 minutes of features).
    """
    if model != "vgg19":
        return 28
    if recipe == "live":
        return 128
    return 150 if on_gpu else 64


def load_base(size: int, backbone_weights: str | None) -> keras.Model:
    """The base with ImageNet weights: from a file, else Keras's download. Raises RunError if neither works."""
    if backbone_weights is not None and not Path(backbone_weights).is_file():
        raise RunError(f"{backbone_weights}: not found. Correct --backbone-weights, or leave it out to download them.")
    try:
        base = build_vgg19_base(size, backbone_weights or "imagenet")
    except Exception as error:  # Keras and h5py raise their own kinds for a foreign file or a failed download
        raise RunError(
            f"VGG-19's ImageNet weights could not be loaded from {backbone_weights or 'the network'} ({error}). "
            "Name a Keras weights file of VGG-19 without its top with --backbone-weights."
        ) from error
    base.trainable = False
    return base


def features(base: keras.Model, images: UInt8, folder: Path, split: str) -> npt.NDArray[np.float16]:
    """The base's output for grey images (N, 28, 28) uint8: float16 (N, h, w, 512).

    Computed once and kept in ``folder``, in chunks, so that a stopped run computes only what is missing.
    """
    chunks = []
    for start in range(0, len(images), CHUNK):
        path = folder / f"{split}-{start:05d}.npy"
        if not path.exists():
            pixels = images_to_input(images[start : start + CHUNK], base.input_shape[1:])
            maps = base.predict(pixels, batch_size=BATCH, verbose=0).astype(np.float16)
            write_atomically(path, functools.partial(np.save, arr=maps))
            print(f"features of {split}: {min(start + CHUNK, len(images)):,} of {len(images):,}", flush=True)
        try:
            chunks.append(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise RunError(f"{path}: damaged ({error}). Delete it, and it is computed again.") from error
    return np.concatenate(chunks)


def weights_digest(network: keras.Model) -> str:
    """Hexadecimal SHA-256 of all weights, in their order."""
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def train_vgg19(config: Config, data: FashionMnist, run_dir: Path, base: keras.Model, team: Team = ALONE) -> Trained:
    """The recipe ``article``: features of ``base`` once, then the head. The network is the whole one."""
    train, val = (
        Examples(features(base, split.images, run_dir / "features", name), one_hot(split.labels))
        for name, split in (("train", data.train), ("val", data.val))
    )
    with computing_in(config.precision):
        head = build_vgg19_head(base.output_shape[1:])
    history = fit(head, config, fashion_phases(config.recipe, train, config.seed), val, run_dir, team=team)
    return Trained(join_vgg19(base, head), history)
