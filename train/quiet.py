"""Loading Keras's backend without what TensorFlow's C++ code says at every start."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_app.errors import RunError

DRIVER = Path("/proc/driver/nvidia")


def load_backend() -> None:
    """Imports Keras, and under TensorFlow looks for devices, with the standard error stream kept back meanwhile.

    What was said is printed after all where an NVIDIA driver runs and TensorFlow sees no GPU: it tells why. JAX's
    devices are left alone, since its processes have to find one another first. Raises RunError if there is no backend.
    """
    with tempfile.TemporaryFile() as said:
        try:
            with _redirected(said.fileno()):
                import keras

                from train.devices import on_gpu

                lost = keras.backend.backend() == "tensorflow" and not on_gpu() and DRIVER.exists()
        except (ImportError, ValueError) as error:
            raise RunError(
                f'Keras cannot load its backend ({error}). Install TensorFlow by `pip install -e ".[train]"`, or set '
                "KERAS_BACKEND to one that is installed."
            ) from error
        if lost:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))


@contextmanager
def _redirected(file: int) -> Iterator[None]:
    """Standard error, that of C++ code too, goes into an open file."""
    sys.stderr.flush()
    before = os.dup(2)
    os.dup2(file, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)
