"""Does the converted model still say what the trained one said?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from converters.layers import LayerError
from edge_app.errors import ConversionError

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tolerance:
    """Mean and maximum absolute error of logits as a share of their standard deviation; share of equal labels."""

    mean_error: float
    max_error: float
    agreement: float


@dataclass(frozen=True)
class Parity:
    """What was measured, in the same units, over ``count`` inputs."""

    mean_error: float
    max_error: float
    agreement: float
    count: int


# Beyond what the -fashion-mnist models and the shipped int8 files show on 1,000 validation images: their largest errors
# are at most a third of float32's and float16's maxima; 0.27 in dynamic, 1.05 in int8, where a picture may go beyond
# all calibration pictures. One zeroed layer is far outside, and so, by its mean, is float16 with weights of bfloat16.
TOLERANCES = {
    "float32": Tolerance(mean_error=1e-5, max_error=1e-4, agreement=1.0),
    "float16": Tolerance(mean_error=1e-3, max_error=4e-2, agreement=0.998),
    "dynamic": Tolerance(mean_error=0.02, max_error=0.3, agreement=0.98),
    "int8": Tolerance(mean_error=0.03, max_error=2.0, agreement=0.98),
}


def compare(expected: Float32, actual: Float32, held: tuple[float, float] = (-np.inf, np.inf)) -> Parity:
    """Parity of two arrays of logits, float32 (N, classes); ``expected`` is the trained network's.

    Errors are taken as far as ``held`` reaches, the range of the converted model's logits; labels are not: a range that
    makes the best logits equal is found by them.
    """
    within = expected.clip(*held)
    error = np.abs(within - actual) / within.std()
    agreement = np.mean(expected.argmax(axis=-1) == actual.argmax(axis=-1))
    return Parity(float(error.mean()), float(error.max()), float(agreement), len(expected))


def is_within(parity: Parity, mode: str) -> bool:
    """Whether ``parity`` is within the mode's tolerance."""
    limit = TOLERANCES[mode]
    return (
        parity.mean_error <= limit.mean_error  # false for what is not a number
        and parity.max_error <= limit.max_error
        and parity.agreement >= limit.agreement
    )


def require(parity: Parity, mode: str, layers: list[LayerError]) -> None:
    """Raises ConversionError, with all figures and the worst layer first, if ``parity`` is beyond the mode's tolerance.

    ``layers`` are the errors of each layer alone.
    """
    if is_within(parity, mode):
        return
    limit = TOLERANCES[mode]
    alone = ", ".join(f"{layer.name} {layer.error:.2g}" for layer in sorted(layers, key=lambda layer: -layer.error))
    raise ConversionError(
        f"{mode} does not say what the trained network says, over {parity.count} images: mean error "
        f"{parity.mean_error:.2g} (limit {limit.mean_error:g}), maximum {parity.max_error:.2g} "
        f"(limit {limit.max_error:g}) standard deviations, labels equal {parity.agreement:.2%} "
        f"(limit {limit.agreement:.2%}). It was not installed. "
        f"Mean error of each layer alone, the worst first: {alone}."
    )
