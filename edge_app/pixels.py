"""The few operations on pictures that everything else is made of: pure, uint8 in and out."""

from functools import reduce

import cv2
import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]


def resize(image: UInt8, height: int, width: int) -> UInt8:
    """(H, W) or (H, W, C) uint8 -> (height, width) or (height, width, C) uint8.

    Averages areas when it makes a picture smaller (no aliasing), interpolates bilinearly when larger.
    """
    if image.shape[:2] == (height, width):
        return image
    smaller = height * width < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(image, (width, height), interpolation=method), dtype=np.uint8)
    return resized.reshape(height, width, *image.shape[2:])  # OpenCV drops a single channel


def within(image: UInt8, side: int) -> UInt8:
    """(H, W, C) uint8, made smaller in proportion if a side is longer than ``side``; none becomes less than 1."""
    height, width = image.shape[:2]
    share = side / max(height, width)
    return image if share >= 1 else resize(image, max(1, round(share * height)), max(1, round(share * width)))


def pad_to_square(image: UInt8) -> UInt8:
    """(H, W, C) uint8 -> (S, S, C) uint8, S = max(H, W): the shorter side is padded evenly with its edge pixels.

    An odd pixel goes to the bottom or right.
    """
    height, width = image.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    padding = (top, side - height - top, left, side - width - left)
    padded = np.asarray(cv2.copyMakeBorder(image, *padding, cv2.BORDER_REPLICATE), dtype=np.uint8)
    return padded.reshape(side, side, *image.shape[2:])


def brighten(image: UInt8, bright: int, most: float) -> UInt8:
    """A dim picture (H, W, C) uint8, all of it times a factor of at most ``most``, so that its bright parts are
    ``bright``; one that is as bright is returned as it is.

    A pixel is as bright as its largest channel, and the bright parts are as bright as the 99th of 100 pixels.
    """
    brightest = reduce(np.maximum, cv2.split(image)).ravel()
    counts = np.bincount(brightest, minlength=256).cumsum()
    parts = int(np.searchsorted(counts, 0.99 * brightest.size))
    if parts >= bright:
        return image
    factor = min(bright / max(parts, 1), most)
    return np.asarray(cv2.convertScaleAbs(image, alpha=factor), dtype=np.uint8).reshape(image.shape)


def to_grey(image_rgb: UInt8) -> UInt8:
    """RGB (H, W, 3) -> grey (H, W, 1): 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded."""
    return np.asarray(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)[..., np.newaxis]
