"""Fashion-MNIST: found, checked, read, split.

The four files are the originals of Zalando Research (MIT licence), arXiv 1708.07747. Sizes and MD5
sums are those published at https://github.com/zalandoresearch/fashion-mnist.
"""

import gzip
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.errors import DataError
from edge_app.labels import FASHION

UInt8 = npt.NDArray[np.uint8]

DATA_VARIABLE = "EDGE_APP_DATA"
FOLDER = "fashion-mnist"
KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
VALIDATION_PER_CLASS = 1200


@dataclass(frozen=True)
class Source:
    """One published file: its name, length in bytes and MD5 sum."""

    name: str
    size_bytes: int
    md5: str


SOURCES = {
    "train-images": Source("train-images-idx3-ubyte.gz", 26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    "train-labels": Source("train-labels-idx1-ubyte.gz", 29515, "25c81989df183df01b3e8a0aad5dffbe"),
    "test-images": Source("t10k-images-idx3-ubyte.gz", 4422102, "bef4ecab320f06d8554ea6380940ec79"),
    "test-labels": Source("t10k-labels-idx1-ubyte.gz", 5148, "bb300cfdad3c16e7a12a480ee83cd310"),
}


@dataclass(frozen=True)
class Split:
    """Images, uint8 (N, 28, 28), 0 black background to 255, and labels, uint8 (N,), 0..9."""

    images: UInt8
    labels: UInt8


@dataclass(frozen=True)
class FashionMnist:
    """48,000 training, 12,000 validation and 10,000 test images, and the digests of their files."""

    train: Split
    val: Split
    test: Split
    digests: dict[str, str]


def find_data(data_dir: str | None = None) -> Path | None:
    """The folder that holds the data sets: ``data_dir``, else ``$EDGE_APP_DATA``, else None (Keras's cache).

    Raises DataError if the folder that was named does not exist.
    """
    named = data_dir or os.environ.get(DATA_VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        origin = "--data" if data_dir else DATA_VARIABLE
        raise DataError(f"{folder}: no such folder. Correct {origin}, or leave it out to download Fashion-MNIST.")
    return folder


def check(path: Path, source: Source) -> None:
    """Raises DataError unless the file at ``path`` is, byte for byte, the published one."""
    remedy = f"Delete it and fetch the published {source.name} again, or leave --data and {DATA_VARIABLE} out."
    size_bytes = path.stat().st_size
    if size_bytes != source.size_bytes:
        raise DataError(f"{path}: {size_bytes:,} bytes, expected {source.size_bytes:,}. {remedy}")
    with path.open("rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    if md5 != source.md5:
        raise DataError(f"{path}: MD5 {md5}, expected {source.md5}. {remedy}")


def locate(source: Source, data_dir: Path | None, url: str = KERAS_URL) -> Path:
    """The checked file for ``source``: in ``data_dir``/fashion-mnist, if there is such a folder, else in Keras's cache,
    downloaded if need be."""
    if data_dir is not None and (data_dir / FOLDER).exists():
        path = data_dir / FOLDER / source.name
        if not path.is_file():
            raise DataError(
                f"{path}: not found. Put the four Fashion-MNIST files there, or take the folder away: then "
                "they are downloaded."
            )
        check(path, source)
        return path
    import keras

    try:  # get_file shows a progress bar, and fetches a cached file again if its digest is wrong
        found = keras.utils.get_file(
            source.name, url + source.name, file_hash=source.md5, cache_subdir=f"datasets/{FOLDER}"
        )
    except Exception as error:  # Keras wraps whatever went wrong on the way in a bare Exception
        raise DataError(
            f"{source.name} could not be downloaded ({error}). Check the network, or put the four files "
            f"into DIR/{FOLDER}/ and name DIR with --data or {DATA_VARIABLE}."
        ) from error
    check(Path(found), source)
    return Path(found)


def read_idx(path: Path) -> UInt8:
    """The array in a gzipped IDX file of unsigned bytes (http://yann.lecun.com/exdb/mnist/, "the IDX file format")."""
    content = gzip.decompress(path.read_bytes())
    rank = content[3]
    shape = np.frombuffer(content, dtype=">i4", count=rank, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape).copy()


def stratified_split(labels: UInt8, val_per_class: int, seed: int) -> tuple[npt.NDArray[np.int64], ...]:
    """Shuffled indices (train, val); val holds ``val_per_class`` of every class, train all the others."""
    random = np.random.default_rng(seed)
    members = [random.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    val = np.concatenate([indices[:val_per_class] for indices in members])
    train = np.concatenate([indices[val_per_class:] for indices in members])
    return random.permutation(train), random.permutation(val)


def load_fashion_mnist(data_dir: str | None, seed: int, url: str = KERAS_URL) -> FashionMnist:
    """Fashion-MNIST with its 60,000 training images split, stratified by class, into 48,000 and 12,000.

    Raises DataError for a missing, truncated or foreign file.
    """
    folder = find_data(data_dir)
    arrays = {key: read_idx(locate(source, folder, url)) for key, source in SOURCES.items()}
    train, val = stratified_split(arrays["train-labels"], VALIDATION_PER_CLASS, seed)
    images, labels = arrays["train-images"], arrays["train-labels"]
    return FashionMnist(
        train=Split(images[train], labels[train]),
        val=Split(images[val], labels[val]),
        test=Split(arrays["test-images"], arrays["test-labels"]),
        digests={source.name: source.md5 for source in SOURCES.values()},
    )


def one_hot(labels: UInt8) -> npt.NDArray[np.float32]:
    """float32 (N, 10) with 1 at each label."""
    return np.eye(len(FASHION), dtype=np.float32)[labels]
