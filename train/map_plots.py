"""Pictures of what a layer makes of a picture: its channels in a grid, or its units as bars."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from train.files import write_atomically

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

GREATEST = 99.8  # percentile that is drawn brightest: one glaring place would darken all others
FEW = 24  # bars that have room for their labels


@dataclass(frozen=True)
class Seen:
    """A model's name, a picture frame_rgb uint8 (H, W, 3), and what the model is given of it, uint8 (H, W, 1 or 3)."""

    model: str
    frame_rgb: UInt8
    pixels: UInt8


def grid(values: Float32) -> Float32:
    """Channels (H, W, C) side by side, float32 (rows, columns), NaN between them and where there is none.

    A grid has 1, 2, 4, 8, ... columns: the least number that is not below its rows.
    """
    height, width, channels = values.shape
    columns = 1
    while columns * columns < channels:
        columns *= 2
    rows = -(-channels // columns)
    gap = max(1, round(width / 14))
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan, np.float32)
    for index in range(channels):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = values[..., index]
    return sheet


def silent(values: Float32) -> int:
    """How many channels of (H, W, C), or units of (N,), are 0 everywhere."""
    return int((values.reshape(-1, values.shape[-1]) == 0).all(axis=0).sum())


def plot_layer(seen: Seen, name: str, values: Float32, labels: tuple[str, ...], path: Path) -> None:
    """A layer's values, (H, W, C) or (N,), as PNG, with the picture and the network's input beside them.

    All channels have one scale, so that a dark one has found little. ``labels`` name the bars where they are as many.
    """
    sheet = grid(values) if values.ndim == 3 else None
    width = 11.0 if sheet is None else 4.0 + min(11.0, 6.4 * sheet.shape[1] / sheet.shape[0])
    figure = plt.figure(figsize=(width, 6.6), layout="constrained")
    parts = figure.add_gridspec(2, 2, width_ratios=(2.6, width - 2.6))
    for row, (title, image) in enumerate((("the picture", seen.frame_rgb), ("what the network is given", seen.pixels))):
        axis = figure.add_subplot(parts[row, 0])
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        axis.set_title(title, fontsize=9)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_color("0.8")
    axis = figure.add_subplot(parts[:, 1])
    if sheet is None:
        _bars(axis, values, labels)
    else:
        _sheet(axis, sheet)
    figure.suptitle(f"{seen.model}, {name}: {_shape(values)}")
    write_atomically(path, lambda part: figure.savefig(part, dpi=110))
    plt.close(figure)


def _shape(values: Float32) -> str:
    dark = f", {count} of them 0" if (count := silent(values)) else ""
    if values.ndim == 1:
        return f"{len(values)} units{dark}"
    height, width, channels = values.shape
    return f"{height} x {width} places, {channels} channels{dark}{' everywhere' * bool(dark)}"


def _sheet(axis: Axes, sheet: Float32) -> None:
    """Bright is much; where there are negative values, red is above 0 and blue below."""
    least = float(np.nanmin(sheet))
    greatest = max(float(np.nanpercentile(np.abs(sheet), GREATEST)), 1e-6)
    colours, lowest, extend = ("RdBu_r", -greatest, "both") if least < 0 else ("viridis", 0.0, "max")
    image = axis.imshow(sheet, cmap=colours, vmin=lowest, vmax=greatest, interpolation="nearest")
    axis.axis("off")
    axis.figure.colorbar(image, ax=axis, shrink=0.6, pad=0.02, extend=extend)


def _bars(axis: Axes, values: Float32, labels: tuple[str, ...]) -> None:
    axis.bar(range(len(values)), values, width=0.8 if len(values) <= FEW else 1.0, color="#d95f02")
    if len(values) == len(labels):
        axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    else:
        axis.set_xlabel("unit")
    axis.axhline(0, color="0.4", linewidth=0.8)
    axis.grid(alpha=0.3, axis="y")
