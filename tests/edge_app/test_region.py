"""Regions worked by hand."""

import numpy as np
import pytest

from edge_app.region import WHOLE, Region, crop

FRAME = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)


@pytest.mark.parametrize(
    ("region", "rows", "columns"),
    [
        (WHOLE, slice(0, 4), slice(0, 8)),
        (Region(0.25, 0.5, 0.5, 0.25), slice(2, 3), slice(2, 6)),
        (Region(0.5, 0.5, 1.0, 1.0), slice(2, 4), slice(4, 8)),  # reaches beyond the picture
        (Region(0.5, 0.5, 0.0, 0.0), slice(2, 3), slice(4, 5)),  # never empty
        (Region(1.0, 1.0, 0.0, 0.0), slice(3, 4), slice(7, 8)),
    ],
)
def test_crop(region: Region, rows: slice, columns: slice) -> None:
    assert np.array_equal(crop(FRAME, region), FRAME[rows, columns])
