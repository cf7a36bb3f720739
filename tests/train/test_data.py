"""Fashion-MNIST: found, checked, split."""

import functools
import gzip
import hashlib
import http.server
import shutil
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_app.errors import DataError
from train.data import DATA_VARIABLE, SOURCES, Source, check, find_data, load_fashion_mnist, locate, read_idx
from train.data import stratified_split as split


def test_stratified_split_is_exact_and_seeded() -> None:
    labels = np.repeat(np.arange(3, dtype=np.uint8), (5, 7, 9))
    train, val = split(labels, 2, seed=4)
    assert np.bincount(labels[val]).tolist() == [2, 2, 2]
    assert np.bincount(labels[train]).tolist() == [3, 5, 7]
    assert sorted([*train, *val]) == list(range(21))
    assert np.array_equal(split(labels, 2, seed=4)[1], val)
    assert not np.array_equal(split(labels, 2, seed=5)[1], val)


def test_read_idx(tmp_path: Path) -> None:
    path = tmp_path / "two-by-three.gz"
    path.write_bytes(gzip.compress(struct.pack(">BBBBii", 0, 0, 8, 2, 2, 3) + bytes([1, 2, 3, 4, 5, 255])))
    assert read_idx(path).tolist() == [[1, 2, 3], [4, 5, 255]]


def test_named_folder_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(DataError, match=r"gone: no such folder\. Correct EDGE_APP_DATA"):
        find_data(None)
    monkeypatch.delenv(DATA_VARIABLE)
    assert find_data(None) is None
    assert find_data(str(tmp_path)) == tmp_path


def test_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "fashion-mnist").mkdir()
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz: not found"):
        locate(SOURCES["train-labels"], tmp_path)


def test_truncated_and_foreign_files_are_refused(tmp_path: Path) -> None:
    source = Source("x.gz", 4, hashlib.md5(b"good").hexdigest())
    path = tmp_path / "x.gz"
    path.write_bytes(b"good")
    check(path, source)
    path.write_bytes(b"goo")
    with pytest.raises(DataError, match=r"x\.gz: 3 bytes, expected 4\. Delete it and fetch"):
        check(path, source)
    path.write_bytes(b"evil")
    with pytest.raises(DataError, match=f"x.gz: MD5 {hashlib.md5(b'evil').hexdigest()}, expected {source.md5}"):
        check(path, source)


def test_swapped_files_are_refused(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fashion-mnist"
    shutil.copytree(data_dir / "fashion-mnist", folder)
    shutil.copy(data_dir / "fashion-mnist" / SOURCES["test-labels"].name, folder / SOURCES["train-labels"].name)
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz: 5,148 bytes, expected 29,515"):
        load_fashion_mnist(str(tmp_path), seed=1)


def test_load(data_dir: Path) -> None:
    data = load_fashion_mnist(str(data_dir), seed=1)
    assert data.train.images.shape == (48_000, 28, 28)
    assert data.val.images.shape == (12_000, 28, 28)
    assert np.bincount(data.val.labels).tolist() == [1200] * 10
    assert np.bincount(data.train.labels).tolist() == [4800] * 10
    assert data.test.images.shape == (10_000, 28, 28)
    assert data.test.labels[:5].tolist() == [9, 2, 1, 1, 6]


@pytest.fixture
def file_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on loopback for a folder: (its address, the folder)."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", folder
        server.shutdown()
        thread.join(timeout=5)


def test_download_is_checked(file_server: tuple[str, Path]) -> None:
    url, folder = file_server
    source = Source("edge-app-test.gz", 4, hashlib.md5(b"good").hexdigest())
    (folder / source.name).write_bytes(b"evil")
    with pytest.raises(DataError, match=r"edge-app-test\.gz could not be downloaded"):
        locate(source, None, url)
    with pytest.raises(DataError, match=r"absent\.gz could not be downloaded"):
        locate(Source("absent.gz", 4, source.md5), None, url)
    (folder / source.name).write_bytes(b"good")
    assert locate(source, None, url).read_bytes() == b"good"
    assert locate(source, folder, url).read_bytes() == b"good"  # a folder that holds other data sets only
