"""Pictures of a run: training curves and the confusion matrix."""

from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt

matplotlib.use("agg")
import matplotlib.pyplot as plt

from train.files import write_atomically
from train.metrics import Int64
from train.recipes import Recipe
from train.state import Row

UInt8 = npt.NDArray[np.uint8]


def plot_curves(history: list[Row], title: str, recipe: Recipe, path: Path) -> None:
    """Loss and accuracy of training and validation against epochs, as PNG; the best epoch is marked,
    and where augmentation begins and ends, and dropout ends."""
    epochs = [row["epoch"] for row in history]
    best = max(history, key=lambda row: row["val_accuracy"])
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        axis.plot(epochs, [row[name] for row in history], label="training", color="#1f77b4")
        axis.plot(epochs, [row[f"val_{name}"] for row in history], label="validation", color="#d95f02")
        axis.plot(best["epoch"], best[f"val_{name}"], "o", color="#d95f02", label=f"best epoch ({best['epoch']:.0f})")
        if recipe.epochs and recipe.augmented_epochs:
            axis.axvline(recipe.epochs + 0.5, color="0.6", linestyle=":", label="augmentation begins")
        if recipe.final_epochs and recipe.mixture is None:
            axis.axvline(
                recipe.epochs + recipe.augmented_epochs + 0.5, color="0.6", linestyle="--", label="augmentation ends"
            )
        if recipe.dropout_epochs:
            axis.axvline(recipe.dropout_epochs + 0.5, color="0.6", linestyle="-.", label="dropout ends")
        axis.set(xlabel="epoch", ylabel=name)
        axis.grid(alpha=0.3)
    if recipe.teaching and recipe.teaching.views:
        axes[0].set(ylabel="loss; in training with the teachers' share")
    axes[1].legend(loc="lower right")
    figure.suptitle(f"{title}: best validation accuracy {best['val_accuracy']:.2%}")
    write_atomically(path, lambda part: figure.savefig(part, dpi=110))
    plt.close(figure)


def plot_confusion(matrix: Int64, labels: tuple[str, ...], title: str, path: Path) -> None:
    """A confusion matrix as PNG: colour is the share of the true class, the number a count."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, axis = plt.subplots(figsize=(7.6, 7), layout="constrained")
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    axis.set(xlabel="predicted", ylabel="true", title=title)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axis.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=9)
    figure.colorbar(image, label="share of the true class", shrink=0.8)
    write_atomically(path, lambda part: figure.savefig(part, dpi=110))
    plt.close(figure)


def plot_examples(images: UInt8, captions: list[str], title: str, path: Path) -> None:
    """Grey images (N, H, W) with a caption each, twelve in a row, as PNG."""
    columns = 12
    rows = max(1, -(-len(images) // columns))
    figure, axes = plt.subplots(rows, columns, figsize=(13, 1.5 * rows + 0.4), layout="constrained", squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, caption in zip(axes.flat, images, captions, strict=False):
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        axis.set_title(caption, fontsize=7)
    figure.suptitle(title)
    write_atomically(path, lambda part: figure.savefig(part, dpi=110))
    plt.close(figure)
