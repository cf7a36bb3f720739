"""A model ready to answer."""

import hashlib
import os
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_app.contract import Contract, read_contract
from edge_app.decide import Decision, decide, probabilities
from edge_app.errors import ContractError
from edge_app.models import contract_path
from edge_app.preprocess import frame_to_input
from edge_app.runtime import make_interpreter
from edge_app.taught import Head

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Outputs:
    """``logits`` float32 (N, classes) and ``features``, the layer before them, float32 (N, F)."""

    logits: Float32
    features: Float32


def default_threads() -> int:
    """Half of the cores, at least 1 and at most 4: the page and the camera need the others."""
    return max(1, min(4, (os.cpu_count() or 1) // 2))


class Classifier:
    """A model and its contract; safe to share between threads, which then take turns, picture by picture.

    ``head`` is what it was taught on this device; live answers heed it (edge_app.pipeline), `classify` does not.
    """

    def __init__(self, contract: Contract, interpreter: Any, runtime: str, threads: int) -> None:
        self.contract, self.runtime, self.threads = contract, runtime, threads
        self.head: Head | None = None
        self._interpreter = interpreter
        self._turn = threading.Lock()
        self._next = threading.Lock()  # who has had a turn does not come again before those who wait
        self._input = interpreter.get_input_details()[0]
        details = interpreter.get_output_details()
        shape = tuple(int(n) for n in self._input["shape"][1:])
        if shape != contract.input.shape or max(contract.outputs.values()) >= len(details):
            raise ContractError(f"{contract.name}: the file takes {shape}, its contract says {contract.input.shape}.")
        self._logits, self._features = (details[contract.outputs[name]] for name in ("logits", "features"))
        classes = int(self._logits["shape"][-1])
        if classes != len(contract.labels):
            raise ContractError(f"{contract.name}: the file gives {classes} logits for {len(contract.labels)} labels.")
        self._codes = input_codes(self._input)

    @classmethod
    def load(cls, model: str | os.PathLike[str], threads: int | None = None) -> "Classifier":
        """An installed model by name, or any model by the path of its .tflite or .json file; ``threads`` from 1 on.

        Raises ModelNotFound, RuntimeMissing, or ContractError if file and contract disagree; ValueError for 0 threads.
        """
        if threads is not None and threads < 1:
            raise ValueError(f"threads is {threads}, expected 1 or more, or None: as many as are quickest here")
        path = contract_path(os.fspath(model))
        contract, model_file = read_contract(path), path.with_suffix(".tflite")
        try:
            content = model_file.read_bytes()  # once: what is compared is what runs
        except OSError as error:
            raise ContractError(
                f"{model_file}: not found beside its contract, or not readable ({error.strerror}). Install it again."
            ) from error
        if (digest := hashlib.sha256(content).hexdigest()) != contract.sha256:
            raise ContractError(
                f"{model_file}: SHA-256 {digest}, its contract says {contract.sha256}. Install it again."
            )
        threads = threads or default_threads()
        return cls(contract, *make_interpreter(content, threads, str(model_file)), threads)

    def infer(self, pixels: UInt8) -> Outputs:
        """Model-ready pixels uint8 (N, H, W, C) 0..255, of the contract's shape and colour -> Outputs.

        Raises ValueError for another shape or dtype.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != self.contract.input.shape:
            expected = ("N", *self.contract.input.shape)
            raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}, expected uint8 {expected}")
        pairs = [self._invoke(image) for image in pixels]
        logits = np.array([pair[0] for pair in pairs], dtype=np.float32)
        features = np.array([pair[1] for pair in pairs], dtype=np.float32)
        return Outputs(logits.reshape(-1, _width(self._logits)), features.reshape(-1, _width(self._features)))

    def logits(self, pixels: UInt8) -> Float32:
        """Model-ready pixels uint8 (N, H, W, C) 0..255 -> logits float32 (N, classes)."""
        return self.infer(pixels).logits

    def classify(self, frame_rgb: UInt8) -> Decision:
        """A picture, uint8 (H, W, 3), RGB, any size -> Decision; no memory of earlier pictures.

        Raises ValueError for another shape or dtype.
        """
        pixels = frame_to_input(frame_rgb, self.contract.input)
        logits = self.logits(pixels[np.newaxis])[0]
        return decide(probabilities(logits, self.contract.temperature), self.contract)

    def _invoke(self, image: UInt8) -> tuple[Float32, Float32]:
        with self._next:
            self._turn.acquire()
        try:
            self._interpreter.set_tensor(self._input["index"], self._codes[image][np.newaxis])
            self._interpreter.invoke()
            return self._read(self._logits), self._read(self._features)
        finally:
            self._turn.release()

    def _read(self, detail: dict[str, Any]) -> Float32:
        return dequantize(self._interpreter.get_tensor(detail["index"])[0], detail)


def input_codes(detail: dict[str, Any]) -> npt.NDArray[np.generic]:
    """What the model is given for each of the 256 pixel values: the value itself, or its quantized code."""
    values = np.arange(256, dtype=np.float32)
    scale, zero_point = detail["quantization"]
    if not scale:
        return values
    info = np.iinfo(detail["dtype"])
    codes = np.clip(np.rint(values / scale) + zero_point, info.min, info.max)
    return np.asarray(codes, dtype=detail["dtype"])


def _width(detail: dict[str, Any]) -> int:
    """How many numbers an output gives for one image."""
    return int(np.prod(detail["shape"][1:]))


def dequantize(codes: npt.NDArray[np.generic], detail: dict[str, Any]) -> Float32:
    """A tensor's codes, any shape, as what they stand for by the tensor's detail: float32, same shape."""
    scale, zero_point = detail["quantization"]
    return (codes.astype(np.float32) - zero_point) * np.float32(scale) if scale else codes.astype(np.float32)
