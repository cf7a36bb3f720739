"""Which device Keras computes on, and in which precision."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

# Keras's policies: variables, and so the state and the weights, are float32 in all of them.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # the last on 64-bit ARM
WORKERS_ON_GPU = 4  # threads that make batches; a CPU has no core to spare for them


def device_name(count: int = 1) -> str:
    """E.g. "cpu (x86_64)" or "gpu:0"; the first ``count`` GPUs where the backend sees any."""
    devices = keras.distribution.list_devices()
    accelerators = [device for device in devices if not device.startswith("cpu")]
    return ", ".join(accelerators[:count]) if accelerators else f"cpu ({platform.machine()})"


def on_gpu() -> bool:
    """Whether Keras computes on an accelerator."""
    return not device_name().startswith("cpu")


def jit_compile() -> bool | str:
    """Keras's own choice on an accelerator; no XLA under TensorFlow on a CPU.

    Measured on 2 cores: an epoch of cnn4 takes 49 s without XLA, 385 s with it.
    """
    return False if not on_gpu() and keras.backend.backend() == "tensorflow" else "auto"


def computes_in(precision: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the device is known to have fast instructions for ``precision`` (a key of PRECISIONS).

    GPUs are taken to have them all. Of a processor, for bfloat16, it is what Linux says; for float16 none was seen to.
    Without them 16 bits are emulated, and learning takes many times as long (docs/training.md).
    """
    if precision == "float32" or on_gpu():
        return True
    try:
        flags = cpuinfo.read_text(encoding="utf-8").split()
    except OSError:
        return False
    return precision == "bfloat16" and not BFLOAT16_FLAGS.isdisjoint(flags)


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Layers made inside compute in ``precision`` (a key of PRECISIONS)."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(PRECISIONS[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
