"""Loading Keras's backend without what TensorFlow's C++ code says at every start, and leaving it in one piece."""

import contextlib
import faulthandler
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

from edge_app.errors import RunError

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
DRIVERS = (Path("/proc/driver/nvidia"), Path("/dev/dxg"))  # of an NVIDIA GPU: on Linux, in Windows's Linux


def load_backend() -> None:
    """Imports Keras, and under TensorFlow looks for devices, with the standard error stream kept back meanwhile.

    What was said is printed after all if that fails, or where a driver runs and TensorFlow sees no GPU: it tells why.
    JAX's devices are left alone, since its processes have to find one another first. Raises RunError if there is no
    backend.
    """
    with tempfile.TemporaryFile() as said:
        wanted = True
        try:
            with _redirected(said):
                import keras

                from train.devices import on_gpu

                sees_no_gpu = keras.backend.backend() == "tensorflow" and not on_gpu()
            wanted = sees_no_gpu and any(driver.exists() for driver in DRIVERS)
        except (ImportError, ValueError) as error:
            raise RunError(
                f'Keras cannot load its backend ({error}). Install TensorFlow by `pip install -e ".[train]"`, or set '
                "KERAS_BACKEND to one that is installed."
            ) from error
        finally:
            if wanted and sys.stderr:
                said.seek(0)
                sys.stderr.write(said.read().decode(errors="replace"))


def leave(status: int) -> NoReturn:
    """Ends the process. After Ctrl-C Python's clean-up is left out: TensorFlow's threads were amid something.

    It was seen to end in "free(): invalid pointer" and an abort.
    """
    if status == INTERRUPTED:
        with contextlib.suppress(OSError, AttributeError):  # nobody listens, or standard output was closed from start
            sys.stdout.flush()
        os._exit(status)
    sys.exit(status)


@contextlib.contextmanager
def _redirected(file: IO[bytes]) -> Iterator[None]:
    """Standard error, that of C++ code too, goes into an open file; if the process is aborted, Python says where."""
    if sys.stderr is None:  # closed by whoever started the program
        yield
        return
    sys.stderr.flush()
    before = os.dup(2)
    is_ours = not faulthandler.is_enabled()
    if is_ours:
        faulthandler.enable(before)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        if is_ours:
            faulthandler.disable()
        os.close(before)
