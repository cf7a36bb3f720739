"""Keeping a CNN's weights, rounded to float16, beside the model that was made from them."""

import io
import tempfile
from pathlib import Path

import h5py
import numpy as np

from converters.install import install, json_bytes
from edge_app.errors import ConversionError
from train.source import SUFFIX, Source
from train.vgg19 import weights_digest


def keep_checkpoint(source: Source, folder: Path) -> Path:
    """Writes NAME.weights.h5 (float16) and NAME.json into ``folder``, from which the model can be converted again.

    The latter has the digest of the weights, which tells whether the two belong together. Raises ConversionError if
    there is no room for temporary files.
    """
    try:
        with tempfile.TemporaryDirectory() as temporary:
            whole = Path(temporary) / f"whole{SUFFIX}"
            source.network.save_weights(whole)
            content = _in_float16(whole)
    except (OSError, RuntimeError) as error:  # HDF5's own, when a disk is full
        raise ConversionError(
            f"the weights cannot be written to a temporary folder ({error}). Make room there, and convert again: the "
            f"model is installed, but {folder} still has the former weights."
        ) from error
    path = folder / f"{source.name}{SUFFIX}"
    digest = weights_digest(source.network)
    result = {name: value for name, value in source.result.items() if name != "weights_sha256"}  # before rounding
    record = {"config": source.config.to_json(), "result": result, "weights_sha256": digest}
    install({path: content, folder / f"{source.name}.json": json_bytes(record)})
    return path


def _in_float16(whole: Path) -> bytes:
    """A copy of an HDF5 file, its float datasets as compressed float16."""
    halved = io.BytesIO()
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
    return halved.getvalue()
