"""Does the converted model still say what the trained one said?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


# About three times what the shipped models show on 1,000 validation images; one zeroed layer is far outside.
TOLERANCES = {
    "float32": Tolerance(mean_error=1e-5, max_error=1e-4, agreement=1.0),
    "float16": Tolerance(mean_error=1e-3, max_error=1e-2, agreement=0.998),
    "dynamic": Tolerance(mean_error=0.01, max_error=0.05, agreement=0.99),
    "int8": Tolerance(mean_error=0.1, max_error=3.0, agreement=0.97),
}


def compare(expected: Float32, actual: Float32) -> Parity:
    """Parity of two arrays of logits, float32 (N, classes); ``expected`` is the trained network's."""
    error = np.abs(expected - actual) / expected.std()
    agreement = np.mean(expected.argmax(axis=-1) == actual.argmax(axis=-1))
    return Parity(float(error.mean()), float(error.max()), float(agreement), len(expected))


def require(parity: Parity, mode: str) -> None:
    """Raises ConversionError, with all three figures, if ``parity`` is beyond the mode's tolerance."""
    limit = TOLERANCES[mode]
    if (
        parity.mean_error > limit.mean_error
        or parity.max_error > limit.max_error
        or parity.agreement < limit.agreement
        or not np.isfinite(parity.mean_error)
    ):
        raise ConversionError(
            f"{mode} does not say what the trained network says, over {parity.count} images: mean error "
            f"{parity.mean_error:.2g} (limit {limit.mean_error:g}), maximum {parity.max_error:.2g} "
            f"(limit {limit.max_error:g}) standard deviations, labels equal {parity.agreement:.2%} "
            f"(limit {limit.agreement:.2%}). Nothing was installed; look for a layer that does not quantize."
        )
