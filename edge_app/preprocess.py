"""From a picture to what a model takes: pure functions, shared by training, calibration, evaluation and the app."""

import numpy as np
import numpy.typing as npt

from edge_app.contract import InputSpec
from edge_app.garment import garment_to_input
from edge_app.pixels import pad_to_square, resize, to_grey, within

UInt8 = npt.NDArray[np.uint8]

MAX_SIDE = 4096  # before padding: the square around a picture of 33,000x30 pixels has a thousand million


def frame_to_input(frame_rgb: UInt8, spec: InputSpec) -> UInt8:
    """A picture uint8 (H, W, 3), RGB -> model-ready pixels uint8 ``spec.shape``, framed and coloured as ``spec`` says.

    Raises ValueError for another shape or dtype.
    """
    if frame_rgb.dtype != np.uint8 or frame_rgb.ndim != 3 or frame_rgb.shape[2] != 3 or 0 in frame_rgb.shape:
        raise ValueError(f"frame is {frame_rgb.dtype} {frame_rgb.shape}, expected uint8 (H, W, 3)")
    size = spec.shape[0]
    if spec.framing == "object":
        return garment_to_input(frame_rgb, size, spec.colour)
    square = resize(pad_to_square(within(frame_rgb, MAX_SIDE)), size, size)
    return to_grey(square) if spec.colour == "grey" else square


def images_to_input(images: UInt8, input_shape: tuple[int, int, int]) -> UInt8:
    """Grey images (N, H, W) uint8 -> (N, *input_shape) uint8: resized, the grey value in every channel.

    This is how Fashion-MNIST meets a model: as it is at 28x28x1, enlarged and repeated for a larger colour input.
    """
    height, width, channels = input_shape
    resized = np.stack([resize(image, height, width) for image in images])
    return np.repeat(resized[..., np.newaxis], channels, axis=-1)
