"""Keeping a CNN's weights, rounded to float16, beside the model that was made from them."""

import tempfile
from pathlib import Path

import h5py
import numpy as np

from converters.install import install, json_bytes
from train.source import SUFFIX, Source
from train.vgg19 import weights_digest


def keep_checkpoint(source: Source, folder: Path) -> Path:
    """Writes NAME.weights.h5 (float16) and NAME.json into ``folder``, from which the model can be converted again.

    The latter has the digest of the weights, which tells whether the two belong together."""
    with tempfile.TemporaryDirectory() as temporary:
        whole, halved = (Path(temporary) / f"{name}{SUFFIX}" for name in ("whole", "halved"))
        source.network.save_weights(whole)
        _to_float16(whole, halved)
        content = halved.read_bytes()
    path = folder / f"{source.name}{SUFFIX}"
    digest = weights_digest(source.network)
    record = {"config": source.config.to_json(), "result": source.result, "weights_sha256": digest}
    install({path: content, folder / f"{source.name}.json": json_bytes(record)})
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
