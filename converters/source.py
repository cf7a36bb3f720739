"""What is converted: a run's folder, or one of the checkpoints kept in assets/checkpoints."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from edge_app.errors import RunError
from edge_app.labels import FASHION, LIVE
from train.files import write_atomically, write_json
from train.models import build
from train.recipes import Config
from train.run import CONFIG, RESULT, WEIGHTS

SUFFIX = ".weights.h5"


@dataclass(frozen=True)
class Source:
    """A trained network with how it came about; its weights are rounded to float16, as checkpoints keep them."""

    config: Config
    result: dict[str, Any]
    network: keras.Model
    is_run: bool

    @property
    def name(self) -> str:
        """The name under which the converted model is installed; ``best`` takes the place of ``article``."""
        return self.config.model if self.is_live else f"{self.config.model}-fashion-mnist"

    @property
    def is_live(self) -> bool:
        """Whether it is for camera frames."""
        return self.config.recipe.mixture is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """What its logits stand for."""
        return LIVE if self.is_live else FASHION


def load_source(path: Path) -> Source:
    """Reads a run's folder or a checkpoint. Raises RunError if it is incomplete, foreign or damaged."""
    is_run = path.is_dir()
    weights = path / WEIGHTS if is_run else path
    try:
        if is_run:
            config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
            result = json.loads((path / RESULT).read_text(encoding="utf-8"))
        else:
            record = json.loads(Path(str(path).removesuffix(SUFFIX) + ".json").read_text(encoding="utf-8"))
            config, result = record["config"], record["result"]
        parsed = Config.from_json(config)
        if missing := {"parameters", "best_epoch", "test", "training_s", "device", "backend", "versions"} - set(result):
            raise ValueError(f"its result lacks {', '.join(sorted(missing))}")
        network = build(parsed.model, parsed.size, len(LIVE if parsed.recipe.mixture else FASHION))
        network.load_weights(weights)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{path}: not a complete run or checkpoint ({error}). Name a folder that `python -m train` has finished, "
            f"or a file assets/checkpoints/NAME{SUFFIX}."
        ) from error
    network.set_weights([weight.astype(np.float16).astype(weight.dtype) for weight in network.get_weights()])
    return Source(parsed, result, network, is_run)


def keep_checkpoint(source: Source, folder: Path) -> Path:
    """Writes NAME.weights.h5 (float16) and NAME.json into ``folder``, from which the model can be converted again."""

    def write(part: Path) -> None:
        whole = part.with_name(f".whole{part.name}")
        try:
            source.network.save_weights(whole)
            _to_float16(whole, part)
        finally:
            whole.unlink(missing_ok=True)

    path = folder / f"{source.name}{SUFFIX}"
    write_atomically(path, write)
    write_json(folder / f"{source.name}.json", {"config": source.config.to_json(), "result": source.result})
    return path


def _to_float16(whole: Path, halved: Path) -> None:
    """Copies an HDF5 file, its float datasets as compressed float16."""
    with h5py.File(whole, "r") as old, h5py.File(halved, "w") as new:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                target = new.require_group(name)
            elif item.dtype.kind == "f":
                target = new.create_dataset(name, data=item[()].astype(np.float16), compression="gzip", shuffle=True)
            else:
                target = new.create_dataset(name, data=item[()])
            target.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)
