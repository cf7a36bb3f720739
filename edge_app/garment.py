"""Framing `object`: finds the garment in a frame and shows it as Fashion-MNIST would: pure functions.

The steps are those of arXiv 1708.07747, section 2: trim to the garment, longest edge to 28, sharpen, pad to a centred
square, negate, grey. Three things differ, because a camera's frame is no shop picture on white: what is trimmed is
found by colour, not by nearness to the corner pixels; the background is made black; and the size is reached by
averaging areas, as skipping rows and columns would also pick up the camera's noise.
"""

import cv2
import numpy as np
import numpy.typing as npt

from edge_app.pixels import resize, to_grey

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

FASHION_SIDE = 28  # pixels, the side of a Fashion-MNIST image

# Chosen on product pictures and photos kept for training; the answers change little around these values.
_SEARCH_SIDE = 112  # pixels, the longest edge of the copy in which the garment is looked for
_BORDER = 0.03  # of the copy's shorter edge: taken for background
_BORDER_KEPT = 70  # per cent of the border: the rest may be garment that reaches it
_NOISE = 4.0  # variance per Lab channel that even a plain background has
_MIN_DISTANCE = 10.0  # Lab steps of 0..255: nearer is background
_MAX_DEVIATIONS = 8.0  # of the border's: farther is garment
_MIN_AREA = 0.01  # of the frame
_SHARPENING = 0.5
# In Fashion-MNIST's training images 99.8 % of the sneakers, all but one ankle boot and 93 % of the sandals have more of
# their area right of the middle: toes point left. 99 % of them are at least this wide for their height.
_SHOE_ASPECT = 0.8


def garment_to_input(frame_rgb: UInt8, size: int, colour: str) -> UInt8:
    """A frame uint8 (H, W, 3), RGB -> the garment in it as in Fashion-MNIST: uint8 (size, size, C), light on black.

    C is 1 for `colour` grey, 3 (three equal channels) for rgb. The whole frame is shown if no garment is found.
    """
    mask = find_garment(frame_rgb)
    left, top, width, height = cv2.boundingRect(mask)
    box = np.s_[top : top + height, left : left + width]
    scale = FASHION_SIDE / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    grey = to_grey(resize(frame_rgb[box], rows, columns))[..., 0]
    cover = resize(mask[box] * np.uint8(255), rows, columns)
    negated = np.asarray((255 - grey) * (cover / 255), dtype=np.float32)
    if columns > _SHOE_ASPECT * rows and _heavier_left(cover):
        negated = negated[:, ::-1]
    image = np.zeros((FASHION_SIDE, FASHION_SIDE), np.uint8)
    first_row, first_column = (FASHION_SIDE - rows) // 2, (FASHION_SIDE - columns) // 2
    image[first_row : first_row + rows, first_column : first_column + columns] = _sharpen(negated)
    channels = 1 if colour == "grey" else 3
    return np.repeat(resize(image, size, size)[..., np.newaxis], channels, axis=-1)


def find_garment(frame_rgb: UInt8) -> UInt8:
    """Where the garment is in a frame uint8 (H, W, 3), RGB: mask uint8 (H, W), 1 inside, holes filled; never empty.

    Garment is the largest, most central region that differs in colour from the frame's border; all 1 if there is none.
    """
    height, width = frame_rgb.shape[:2]
    scale = min(1.0, _SEARCH_SIDE / max(height, width))
    small = resize(frame_rgb, max(1, round(height * scale)), max(1, round(width * scale)))
    distance, deviation = _distance_from_border(cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32))
    # Otsu's threshold parts garment from a patterned background; on a plain one it would part light cloth from dark.
    otsu, _ = cv2.threshold(distance.clip(0, 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    threshold = max(_MIN_DISTANCE, min(otsu, _MAX_DEVIATIONS * deviation))
    region = _main_region((distance > threshold).astype(np.uint8))
    if region is None:
        return np.ones((height, width), np.uint8)
    return np.asarray(cv2.resize(region, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def _distance_from_border(image_lab: Float32) -> tuple[Float32, float]:
    """Lab float32 (H, W, 3) -> how far each pixel is from the border's colours, float32 (H, W), and their deviation.

    The distance is Mahalanobis's, times the deviation, so that both are in steps of Lab: what varies along the border
    (light across a wall, the grain of a floor) counts for less.
    """
    rim = max(1, round(_BORDER * min(image_lab.shape[:2])))
    strips = (image_lab[:rim], image_lab[-rim:], image_lab[:, :rim], image_lab[:, -rim:])
    border = np.concatenate([strip.reshape(-1, 3) for strip in strips])
    from_median = np.abs(border - np.median(border, axis=0)).sum(axis=1)
    kept = border[from_median <= np.percentile(from_median, _BORDER_KEPT)]
    covariance = np.cov(kept.T, bias=True) + _NOISE * np.eye(3)
    deviation = float(np.sqrt(np.trace(covariance) / 3))
    whiten = np.linalg.cholesky(np.linalg.inv(covariance)).astype(np.float32) * np.float32(deviation)
    return np.linalg.norm((image_lab - kept.mean(axis=0)) @ whiten, axis=2), deviation


def _main_region(differs: UInt8) -> UInt8 | None:
    """Mask uint8 (H, W) of 0 and 1 -> its largest, most central region, holes filled; None if all are small."""
    height, width = differs.shape
    closed = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, labels, stats, centres = cv2.connectedComponentsWithStats(closed)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not areas.size or areas.max() < _MIN_AREA * height * width:
        return None
    off_centre = np.abs(centres[1:] * (2 / width, 2 / height) - 1).max(axis=1)
    best = 1 + int(np.argmax(areas * (1 - 0.5 * off_centre)))
    outlines, _ = cv2.findContours((labels == best).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.zeros_like(differs), outlines, -1, 1, cv2.FILLED), dtype=np.uint8)


def _heavier_left(cover: UInt8) -> bool:
    """Whether more than half of a mask's weight, uint8 (H, W), lies left of the middle."""
    columns = cover.sum(axis=0, dtype=np.int64)
    half = len(columns) // 2
    return bool(columns[:half].sum() > columns[-half:].sum()) if half else False


def _sharpen(image: Float32) -> UInt8:
    """Unsharp mask with a Gaussian of radius 1 and deviation 1 (the paper's): float32 (H, W) -> uint8 (H, W)."""
    blurred = cv2.GaussianBlur(image, (3, 3), 1.0, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(np.rint(image + _SHARPENING * (image - blurred)).clip(0, 255), dtype=np.uint8)
