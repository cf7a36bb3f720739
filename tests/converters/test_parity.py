"""Parity figures worked by hand."""

import numpy as np
import numpy.typing as npt
import pytest

from converters.layers import LayerError
from converters.measure import Kept, ask, keep, require_kept
from converters.parity import Parity, compare, require
from edge_app.errors import ConversionError

EXPECTED = np.array([[1, -1], [-1, 1]], dtype=np.float32)  # standard deviation 1


def test_compare() -> None:
    actual = np.array([[1.5, -1], [0.5, 0.25]], dtype=np.float32)
    assert compare(EXPECTED, actual) == Parity(mean_error=2.75 / 4, max_error=1.5, agreement=0.5, count=2)
    assert compare(EXPECTED, EXPECTED) == Parity(0, 0, 1, 2)


def test_what_cannot_be_held_is_no_error_but_a_label_that_is_lost_counts() -> None:
    expected = np.array([[2, 3], [0, 1]], dtype=np.float32)
    assert compare(expected, expected.clip(-1, 2), held=(-1, 2)) == Parity(0, 0, agreement=0.5, count=2)


@pytest.mark.parametrize("mode", ["float32", "float16", "dynamic", "int8"])
def test_require(mode: str) -> None:
    require(Parity(0, 0, 1, 2), mode, [])
    layers = [LayerError("dense", 0.001), LayerError("logits", 0.7)]
    for bad in (Parity(0.2, 0, 1, 2), Parity(0, 9, 1, 2), Parity(0, 0, 0.9, 2), Parity(float("nan"), 0, 1, 2)):
        with pytest.raises(
            ConversionError, match=rf"{mode} does not say what .*the worst first: logits 0\.7, dense 0\.001\."
        ):
            require(bad, mode, layers)


def test_keep() -> None:
    # Labels 0, 1, 0, 1 become 0, 0, 0, 1; of the third picture both are right, of the others the first.
    trained = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    converted = np.array([[2, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    right = np.array([[1, 0], [1, 0], [1, 1], [1, 0]], np.float32)
    assert keep(right, trained, converted) == Kept(agreement=0.75, accuracy=0.75, float32_accuracy=0.5, count=4)


def test_what_loses_too_much_is_refused() -> None:
    require_kept(Kept(agreement=0.99, accuracy=0.996, float32_accuracy=0.999, count=3000), "int8")  # 0.3 points
    require_kept(Kept(agreement=0.5, accuracy=0.25, float32_accuracy=0.75, count=2999), "int8")
    with pytest.raises(ConversionError, match=r"int8 .* of 3000 .* names 75\.00% rightly, the trained network 75\.50%"):
        require_kept(Kept(agreement=1.0, accuracy=0.75, float32_accuracy=0.755, count=3000), "int8")
    with pytest.raises(ConversionError, match=r"labels are equal for 98\.90% \(limit 99%\)"):
        require_kept(Kept(agreement=0.989, accuracy=0.75, float32_accuracy=0.75, count=3000), "int8")


def test_asking_in_batches(capsys: pytest.CaptureFixture[str]) -> None:
    """Every picture once, in its place, in batches of at most a hundred; and a line that says that it is done."""
    sizes: list[int] = []

    def first_pixel(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        sizes.append(len(pixels))
        return np.asarray(pixels[:, 0, 0], np.float32)

    sets = [np.full((250, 2, 2, 1), 7, np.uint8), np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1)]
    first, second = ask("step", first_pixel, sets)
    assert sizes == [100, 100, 50, 3]
    assert first.tolist() == [[7.0]] * 250
    assert second.tolist() == [[0.0], [1.0], [2.0]]
    assert capsys.readouterr().err == "step: 0 s\n"
