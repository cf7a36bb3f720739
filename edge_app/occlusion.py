"""Which parts of a picture an answer rests on: they are covered, one after the other, and its probability is watched.

Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from edge_app.pixels import resize

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

GRID = 8  # places of the cover along a side
COVER = 4  # the cover's side is a quarter of the picture's
SHOWN_PX = 144  # side of the picture that is shown
WARM_RGB = np.array([255, 96, 0], dtype=np.float32)


def places(side: int) -> list[tuple[slice, slice]]:
    """The GRID x GRID parts of a square picture that are covered, row by row; they overlap, and reach its edges."""
    length = max(1, side // COVER)
    starts = np.linspace(0, side - length, GRID).round().astype(int)
    return [(slice(top, top + length), slice(left, left + length)) for top in starts for left in starts]


def occlusion_map(probability: Callable[[UInt8], Float32], pixels: UInt8) -> Float32:
    """How much an answer's probability falls when a part is covered by the picture's mean colour: float32 (GRID, GRID).

    ``probability`` gives it, float32 (N,), for model-ready pixels uint8 (N, H, W, C); ``pixels`` is uint8 (H, W, C).
    """
    mean_colour = pixels.mean(axis=(0, 1)).round().astype(np.uint8)
    covered = np.repeat(pixels[np.newaxis], GRID * GRID, axis=0)
    for picture, place in zip(covered, places(pixels.shape[0]), strict=True):
        picture[place] = mean_colour
    whole = probability(pixels[np.newaxis])[0]
    return np.asarray(whole - probability(covered).reshape(GRID, GRID), dtype=np.float32)


def highlighted(pixels: UInt8, falls: Float32) -> UInt8:
    """What the model saw, uint8 (H, W, C), grey, with the parts that mattered in a warm colour: RGB, uint8 (S, S, 3).

    The part whose covering costs most is the warmest; a part that costs nothing, or helps, is left as it is.
    """
    grey = pixels[..., 0] if pixels.shape[2] == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    shown = resize(np.asarray(grey, dtype=np.uint8), SHOWN_PX, SHOWN_PX).astype(np.float32)[..., np.newaxis]
    shares = np.clip(falls, 0, None) / max(float(falls.max()), 1e-6)
    warmth = 0.75 * np.clip(_enlarged(shares.astype(np.float32)), 0, 1)[..., np.newaxis]
    return np.asarray(np.rint(shown * (1 - warmth) + WARM_RGB * warmth), dtype=np.uint8)


def _enlarged(shares: Float32) -> Float32:
    """Numbers of the places, float32 (GRID, GRID), between their middles, float32 (SHOWN_PX, SHOWN_PX): the first and
    the last are half a cover from the picture's edges."""
    places_a_side = (GRID - 1) / (1 - 1 / COVER)
    scale, first = places_a_side / SHOWN_PX, places_a_side * (0.5 / SHOWN_PX - 0.5 / COVER)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    matrix = np.array([[scale, 0, first], [0, scale, first]])
    enlarged = cv2.warpAffine(shares, matrix, (SHOWN_PX, SHOWN_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(enlarged, dtype=np.float32)
