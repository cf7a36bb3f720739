"""The model card: what a model is, what it was made from, how good it is, where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from train.files import write_atomically

if TYPE_CHECKING:
    from converters.convert import Measured
    from converters.source import Source

VGG_CREDIT = (
    "\nIts convolutional base is VGG-19 by Karen Simonyan and Andrew Zisserman, Visual Geometry Group, Oxford, "
    "released under CC BY 4.0 (https://www.robots.ox.ac.uk/~vgg/research/very_deep/); the weights were quantized.\n"
)


REAL_PICTURES = """
Photos were taken by people at home; products are small shop pictures in colour, many of them worn (docs/results.md
says where they are from). This model was trained on neither."""


def card(measured: Measured, source: Source) -> str:
    """The card as Markdown, from the contract and the figures measured on the .tflite."""
    contract, config, result = measured.contract, source.config, source.result
    recipe, parity = config.recipe, measured.parity
    height, width, channels = contract.input.shape
    accuracies = "".join(f"| {name} | {value:.2%} |\n" for name, value in contract.accuracy.items())
    classes = "".join(
        f"| {report.label} | {report.precision:.3f} | {report.recall:.3f} | {report.f1:.3f} |\n"
        for report in measured.classes
    )
    size = f" --size {config.size}" if config.model == "vgg19" else ""
    return f"""# {contract.name}

{config.model} of four, for pixels {height}x{width}x{channels}, {contract.quantization}, {measured.size_bytes:,} bytes;
{result["parameters"]:,} parameters. It names {len(contract.labels)} classes: {", ".join(contract.labels)}.

Trained on Fashion-MNIST (Zalando Research, MIT licence, arXiv 1708.07747): 48,000 images,
{recipe.epochs} epochs as they are and {recipe.augmented_epochs} augmented, on {result["device"]} with
{result["backend"]}, {result["training_s"] / 60:.0f} minutes. The weights are those of epoch {result["best_epoch"]}, the
best of them on 12,000 validation images.
{VGG_CREDIT if config.model == "vgg19" else ""}
## Accuracy

Measured on the .tflite itself, through the app's own classifier. The trained network in float32 reaches
{result["test"]["accuracy"]:.2%} on the test images.{REAL_PICTURES if len(contract.accuracy) > 2 else ""}

| images | right |
|---|---|
{accuracies}
| class (test) | precision | recall | F1 |
|---|---|---|---|
{classes}
Against the trained network, on {parity.count} validation images: the same label on {parity.agreement:.2%};
logits differ by {parity.mean_error:.2g} standard deviations in the mean, {parity.max_error:.2g} at most.

## Confidence

Logits are divided by {contract.temperature} (fitted on validation images) before softmax. An answer below
{contract.threshold:.2f} is given as "unsure": above it, 95 % of the answers on validation images are right.

## Limits

It knows small grey shop pictures of single garments on an even ground, and nothing else. In a real room,
on a person, or on a patterned ground it is often wrong, and it has no class for "no garment".

## How to repeat it

```
python -m train {config.model} --recipe {recipe.name}{size} --seed {config.seed}
python -m converters runs/{config.name} --mode {contract.quantization}
```
"""


def write_card(measured: Measured, source: Source, path: Path) -> None:
    """Writes the card, atomically."""
    text = card(measured, source)
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
