"""From a picture to what a model takes: pure functions, shared by training, calibration, evaluation and the app."""

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
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), dtype=np.uint8)


def images_to_input(images: UInt8, input_shape: tuple[int, int, int]) -> UInt8:
    """Grey images (N, H, W) uint8 -> (N, *input_shape) uint8: resized, the grey value in every channel.

    This is how Fashion-MNIST meets a model: as it is at 28x28x1, enlarged and repeated for a larger colour input.
    """
    height, width, channels = input_shape
    resized = np.stack([resize(image, height, width) for image in images])
    return np.repeat(resized[..., np.newaxis], channels, axis=-1)
