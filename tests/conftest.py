"""What all tests share."""

import os
import tempfile
from pathlib import Path

import pytest

# Before anything imports Keras: its cache and settings are the tests' own, its backend the one that exports.
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="edge-app-keras-")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of data sets. Skips without EDGE_APP_DATA; with it, whatever is missing there is a failure."""
    named = os.environ.get("EDGE_APP_DATA")
    if not named:
        pytest.skip("EDGE_APP_DATA is not set: this test needs the data sets")
    return Path(named)
