"""From a picture to what a model takes: pure functions, shared by training, calibration, evaluation and the app."""

import numpy as np
import numpy.typing as npt

from edge_app.contract import InputSpec
from edge_app.garment import garment_to_input
from edge_app.pixels import brighten, pad_to_square, resize, to_grey, within

UInt8 = npt.NDArray[np.uint8]

MAX_SIDE = 4096  # before padding: the square around a picture of 33,000x30 pixels has a thousand million
BRIGHT = 200  # of the validation photos two thirds are as bright: what a network knows
MOST_BRIGHTENED = 8  # beyond, a camera's noise is all that there is


def frame_to_input(frame_rgb: UInt8, spec: InputSpec) -> UInt8:
    """A picture uint8 (H, W, 3), RGB -> model-ready pixels uint8 ``spec.shape``, framed and coloured as ``spec`` says.

    Of a ``whole`` picture taken in a dim room the bright parts are made BRIGHT, and all else in proportion. Raises
    ValueError for another shape or dtype.
    """
    if frame_rgb.dtype != np.uint8 or frame_rgb.ndim != 3 or frame_rgb.shape[2] != 3 or 0 in frame_rgb.shape:
        raise ValueError(f"frame is {frame_rgb.dtype} {frame_rgb.shape}, expected uint8 (H, W, 3)")
    size = spec.shape[0]
    if spec.framing == "object":
        return garment_to_input(frame_rgb, size, spec.colour)
    square = resize(pad_to_square(within(frame_rgb, MAX_SIDE)), size, size)
    return brighten(to_grey(square) if spec.colour == "grey" else square, BRIGHT, MOST_BRIGHTENED)


def images_to_input(images: UInt8, input_shape: tuple[int, int, int]) -> UInt8:
    """Grey images (N, H, W) uint8 -> (N, *input_shape) uint8: resized, the grey value in every channel.

    This is how Fashion-MNIST meets a model: as it is at 28x28x1, enlarged and repeated for a larger colour input.
    """
    height, width, channels = input_shape
    resized = np.stack([resize(image, height, width) for image in images])
    return np.repeat(resized[..., np.newaxis], channels, axis=-1)
