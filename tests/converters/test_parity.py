"""Parity figures worked by hand."""

import numpy as np
import pytest

from converters.parity import Parity, compare, require
from edge_app.errors import ConversionError

EXPECTED = np.array([[1, -1], [-1, 1]], dtype=np.float32)  # standard deviation 1


def test_compare() -> None:
    actual = np.array([[1.5, -1], [0.5, 0.25]], dtype=np.float32)
    assert compare(EXPECTED, actual) == Parity(mean_error=2.75 / 4, max_error=1.5, agreement=0.5, count=2)
    assert compare(EXPECTED, EXPECTED) == Parity(0, 0, 1, 2)


@pytest.mark.parametrize("mode", ["float32", "float16", "dynamic", "int8"])
def test_require(mode: str) -> None:
    require(Parity(0, 0, 1, 2), mode)
    for bad in (Parity(0.2, 0, 1, 2), Parity(0, 9, 1, 2), Parity(0, 0, 0.9, 2), Parity(float("nan"), 0, 1, 2)):
        with pytest.raises(ConversionError, match=f"{mode} does not say what the trained network says"):
            require(bad, mode)
