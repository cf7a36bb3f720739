"""The TFLite runtime: the one module that knows its packages."""

import importlib
import os
from typing import Any

from edge_app.errors import ContractError, RuntimeMissing

RUNTIMES = {"ai-edge-litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}
INSISTED = "EDGE_APP_RUNTIME"  # the environment's variable that names the only runtime to use
INSTALL = {
    "ai-edge-litert": "pip install ai-edge-litert",
    "tflite-runtime": 'with Python 3.11, in the checkout, pip install -e ".[tflite-runtime]"',
}


def make_interpreter(content: bytes, threads: int, name: str) -> tuple[Any, str]:
    """(interpreter, name of its package), from the first runtime that can construct one, or the one insisted on.

    ``content`` is that of a .tflite file, ``name`` what an error calls it.

    Importing proves nothing: tflite-runtime 2.14 imports beside numpy 2, and fails when it is used. Raises
    RuntimeMissing if there is no runtime, ContractError if the runtime there is refuses the file.
    """
    reasons = []
    for package in _wanted():
        try:
            module = importlib.import_module(RUNTIMES[package])
            interpreter = module.Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
            return interpreter, package
        except ImportError as error:
            reasons.append(f"{package}: {error}")
        except (ValueError, RuntimeError, AttributeError) as error:
            if package == "ai-edge-litert":
                raise ContractError(f"{name}: not a model this runtime can run ({error}). Convert it again.") from error
            reasons.append(f"{package}: {error}")
    ways = " or, ".join(INSTALL[package] for package in _wanted())
    raise RuntimeMissing(f"no TFLite runtime works here ({'; '.join(reasons)}). Install one: {ways}")


def _wanted() -> tuple[str, ...]:
    """The packages to try, in order. Raises RuntimeMissing if one is insisted on that is not known."""
    insisted = os.environ.get(INSISTED)
    if insisted and insisted not in RUNTIMES:
        raise RuntimeMissing(f"{INSISTED}={insisted}: no such runtime. There are {', '.join(RUNTIMES)}.")
    return (insisted,) if insisted else tuple(RUNTIMES)
