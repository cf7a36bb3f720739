"""Pictures of several models: accuracy against time and size, confusion matrices, worst mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from train.files import write_atomically
from train.metrics import Int64

if TYPE_CHECKING:
    from train.compare import Compared, Mistake
    from train.state import Row

COLUMNS = 8
NAME_PLACES = ((0, 9, "center"), (10, -3, "left"), (-10, -3, "right"), (6, -17, "left"), (0, -17, "center"))
VARIANTS = {"fashion-mnist": "knows Fashion-MNIST alone", "live": "for cameras"}
COLOURS = {"fashion-mnist": "#7f7f7f", "live": "#d95f02"}


def plot_models(models: list[Compared], path: Path) -> None:
    """Share right, on Fashion-MNIST and on photos, against milliseconds; a disc's area is the model's size."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    named = []
    for axis, title in zip(axes, ("Fashion-MNIST test", "photos val"), strict=True):
        places = []
        for m in models:
            right = m.test if title == "Fashion-MNIST test" else m.pictures["photos"].right
            axis.scatter(m.invoke_ms, 100 * right, s=disc_area(m), alpha=0.45, color=COLOURS[m.contract.variant])
            places.append((m.contract.architecture, m.invoke_ms, 100 * right, disc_area(m)))
        axis.set(xscale="log", xlabel="milliseconds for one inference", ylabel="right, %", title=title)
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.margins(0.25)
        axis.grid(alpha=0.3)
        named.append((axis, places))
    for variant, colour in COLOURS.items():
        axes[0].scatter([], [], alpha=0.45, color=colour, label=VARIANTS[variant])
    axes[0].legend(loc="lower right")
    figure.suptitle("The models: the area of a disc is the size of the file")
    figure.draw_without_rendering()  # now it is known where things are
    for axis, places in named:
        write_names(axis, places)
    write_atomically(path, lambda part: figure.savefig(part, dpi=110))
    plt.close(figure)


def disc_area(model: Compared) -> float:
    """Of a model's disc, in square points."""
    return model.size_bytes / 8e3


def write_names(axis: Axes, places: list[tuple[str, float, float, float]]) -> None:
    """Each name above its disc's middle (name, x, y, area in square points) on the drawn axis, or beside or below it,
    where it covers no other name or disc."""
    pixels = axis.transData.transform([(x, y) for _, x, y, _ in places])
    radii = [(area / np.pi) ** 0.5 * axis.figure.dpi / 72 for *_, area in places]
    discs = [Bbox.from_bounds(x - r, y - r, 2 * r, 2 * r) for (x, y), r in zip(pixels, radii, strict=True)]
    written: list[Bbox] = []
    for index, (name, x, y, _) in enumerate(places):
        taken = [*written, *discs[:index], *discs[index + 1 :]]
        for dx, dy, side in NAME_PLACES:
            text = axis.annotate(name, (x, y), xytext=(dx, dy), textcoords="offset points", ha=side)
            box = text.get_window_extent()
            if axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1 and not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        else:
            axis.add_artist(text)
        written.append(box)


def plot_confusions(matrices: list[tuple[str, Int64]], labels: tuple[str, ...], path: Path) -> None:
    """Confusion matrices on the Fashion-MNIST test images, (name, counts) each."""
    columns = min(4, len(matrices))
    rows = -(-len(matrices) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(4.4 * columns, 4.6 * rows),
        layout="constrained",
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for axis in axes.flat[len(matrices) :]:
        axis.set_visible(False)
    lowest = axes.flat[len(matrices) - columns : len(matrices)]
    for axis, (name, matrix) in zip(axes.flat, matrices, strict=False):
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axis.set_xticks(range(len(labels)), labels, rotation=90)
        axis.set_yticks(range(len(labels)), labels)
        axis.set_title(name)
        axis.tick_params(labelbottom=axis in lowest)
        for (row, column), share in np.ndenumerate(shares):
            if share > 0.005:
                colour = "white" if share > 0.5 else "black"
                axis.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour, fontsize=7)
    figure.supxlabel("predicted")
    figure.supylabel("true")
    figure.suptitle("Fashion-MNIST test images, % of the true class")
    write_atomically(path, lambda part: figure.savefig(part, dpi=90))
    plt.close(figure)


def plot_mistakes(mistakes: list[Mistake], title: str, path: Path) -> None:
    """A sheet of pictures, each with what it is, what it was taken for, and how surely."""
    rows = max(1, -(-len(mistakes) // COLUMNS))
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(2 * COLUMNS, 2.5 * rows), layout="constrained", squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, mistake in zip(axes.flat, mistakes, strict=False):
        axis.imshow(mistake.frame_rgb)
        axis.set_title(f"{mistake.truth}\nnamed {mistake.named}, {mistake.probability:.0%}", fontsize=8)
    figure.suptitle(f"{title}: the mistakes it was surest of")
    write_atomically(path, lambda part: figure.savefig(part, dpi=80))
    plt.close(figure)


def plot_runs(runs: list[tuple[str, list[Row]]], path: Path) -> None:
    """Accuracy and loss of several runs, (name, history) each, against epochs: validation drawn through, training thin
    and dashed. The first epochs, in which everything changes, may leave the picture."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    for axis, figure_name in zip(axes, ("accuracy", "loss"), strict=True):
        for index, (name, history) in enumerate(runs):
            epochs = [row["epoch"] for row in history]
            style = {"color": f"C{index % 10}"}
            axis.plot(epochs, [row[f"val_{figure_name}"] for row in history], label=name, **style)
            axis.plot(epochs, [row[figure_name] for row in history], linestyle="--", linewidth=0.8, alpha=0.7, **style)
        values = [row[key] for _, history in runs for row in history for key in (figure_name, f"val_{figure_name}")]
        low, high = np.percentile(values, (4, 96))
        room = max(0.1 * (high - low), 1e-3)
        if figure_name == "accuracy":
            axis.set_ylim(low - room, min(1.0, max(values) + room))
        else:
            axis.set_ylim(max(0.0, min(values) - room), high + room)
        axis.set(xlabel="epoch", ylabel=figure_name)
        axis.grid(alpha=0.3)
    handles, labels = axes[0].get_legend_handles_labels()
    handles += [plt.Line2D([], [], color="0.3"), plt.Line2D([], [], color="0.3", linestyle="--", linewidth=0.8)]
    figure.legend(handles, [*labels, "validation", "training"], loc="outside lower center", ncols=min(4, len(handles)))
    write_atomically(path, lambda part: figure.savefig(part, dpi=110))
    plt.close(figure)
