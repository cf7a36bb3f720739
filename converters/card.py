"""The model card: what a model is, what it was made from, how good it is, where it fails."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from train.files import write_atomically

if TYPE_CHECKING:
    from converters.measure import Measured
    from train.recipes import Recipe
    from train.source import Source

VGG_CREDIT = (
    "Its convolutional base is VGG-19 by Karen Simonyan and Andrew Zisserman, Visual Geometry Group, Oxford, "
    "released under CC BY 4.0 (https://www.robots.ox.ac.uk/~vgg/research/very_deep/); the weights were quantized."
)
FASHION_MNIST = "Fashion-MNIST (Zalando Research, MIT licence, arXiv 1708.07747)"
FASHION_LIMITS = (
    "It knows small grey shop pictures of single garments on an even ground, and nothing else. In a real room, "
    'on a person, or on a patterned ground it is often wrong, and it has no class for "no garment".'
)
LIVE_LIMITS = (
    "Nobody in front of a webcam is among its pictures: no hands that hold a garment up, no people at a desk, no empty "
    "rooms. What it takes for nothing are hats, shorts, skirts, accessories, patches of floors, walls and beds, and "
    "blank or noisy frames. The photos show one garment each, most of them lying or hanging, and no bags; bags are "
    "known from shop pictures, and so is what makes a sandal, a sneaker or a boot."
)


def card(measured: Measured, source: Source) -> str:
    """The card as Markdown, from the contract and the figures measured on the .tflite."""
    contract, config, result = measured.contract, source.config, source.result
    parity = measured.parity
    height, width, channels = contract.input.shape
    options = f" --size {config.size}" if config.model == "vgg19" else ""
    options += "".join(f" --teacher runs/{name}" for name in config.teachers)
    about = f"""{config.model} of four, for pixels {height}x{width}x{channels}, {contract.quantization},
        {measured.size_bytes:,} bytes; {result["parameters"]:,} parameters. It names {len(contract.labels)} classes:
        {", ".join(contract.labels)}."""
    measured_how = f"""Measured on the .tflite itself, through the app's own classifier. The trained network in
        float32 reaches {result["test"]["accuracy"]:.2%} on the Fashion-MNIST test images.
        {_about_pictures(measured, source)}"""
    alike = f"""Against the trained network, on {parity.count} validation images: the same label on
        {parity.agreement:.2%}; logits differ by {parity.mean_error:.2g} standard deviations in the mean,
        {parity.max_error:.2g} at most."""
    accuracy = [(name, f"{value:.2%}") for name, value in contract.accuracy.items()]
    classes = [(r.label, f"{r.precision:.3f}", f"{r.recall:.3f}", f"{r.f1:.3f}") for r in measured.classes]
    sections = [
        f"# {contract.name}",
        *(_paragraph(about), _paragraph(_origin(source))),
        *([_paragraph(VGG_CREDIT)] if config.model == "vgg19" else []),
        *("## Accuracy", _paragraph(measured_how)),
        *(_table(("images", "right"), accuracy), _table(("class (test)", "precision", "recall", "F1"), classes)),
        *(_by_class(measured) if source.is_live else []),
        *(_paragraph(alike), "## Confidence", *_confidence(measured)),
        *("## Limits", _paragraph(_limits(contract.input.colour) if source.is_live else FASHION_LIMITS)),
        "## How to repeat it",
        f"```\npython -m train {config.model} --recipe {config.recipe.name}{options} --seed {config.seed}\n"
        f"python -m converters runs/{config.name} --mode {contract.quantization}\n```",
    ]
    return "\n\n".join(sections) + "\n"


def _paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _origin(source: Source) -> str:
    recipe, result = source.config.recipe, source.result
    taught = f"Taught by {', '.join(source.config.teachers)} (arXiv 1503.02531)." if source.config.teachers else ""
    end = f"""on {result["device"]} with {result["backend"]}, {result["training_s"] / 60:.0f} minutes. The weights are
        those of epoch {result["best_epoch"]}, the best of them on"""
    if recipe.mixture is None:
        return f"""Trained on {FASHION_MNIST}: 48,000 images, {recipe.epochs} epochs as they are and
            {recipe.augmented_epochs} augmented, {end} 12,000 validation images. {taught}"""
    mixture = recipe.mixture
    return f"""Trained on {FASHION_MNIST}, on photos (https://github.com/alexeygrigorev/clothing-dataset, CC0 1.0) and
        on product pictures (Fashion Product Images (Small), Kaggle, paramaggarwal, MIT licence), mixed: an epoch has
        {mixture.fashion:,} images of Fashion-MNIST as they are, {mixture.pasted:,} of its garments in front of real
        backgrounds, every photo {mixture.photo_repeats} times, {mixture.products:,} product pictures and
        {mixture.nothing:,} of nothing. {_course(recipe)}, {end} validation pictures of all three
        kinds. {taught}"""


def _course(recipe: Recipe) -> str:
    epochs, tuning = recipe.augmented_epochs, recipe.tuning
    if tuning is None:
        return f"{epochs} such epochs"
    if tuning.whole:
        return f"{tuning.head_epochs} such epochs for the new head alone, then {epochs} for all layers"
    return f"""Views of {tuning.views} such epochs, seen {tuning.head_epochs} times by the new head alone, then {epochs}
        times by it and block 5"""


def _limits(colour: str) -> str:
    return LIVE_LIMITS + (" It sees grey: colour tells it nothing." if colour == "grey" else "")


def _about_pictures(measured: Measured, source: Source) -> str:
    if not measured.pictures:
        return ""
    taught = (
        "Nobody who took a validation photo took one to train on." if source.is_live else "It was trained on neither."
    )
    return f"""Photos were taken by people at home; products are small shop pictures, many of them worn (docs/results.md
        says where they are from). {taught}"""


def _by_class(measured: Measured) -> Iterator[str]:
    """Real pictures, class by class."""
    for name, found in measured.pictures.items():
        rows = [(label, f"{share:.1%}", found.counts[label]) for label, share in found.classes.items()]
        yield _table((f"class ({name} val)", "right", "pictures"), rows)
        none = "" if found.auroc is None else f", AUROC of P(none) {found.auroc:.3f}"
        yield f"{name} val: {found.right:.1%} right, {found.balanced:.1%} in the mean over classes{none}."


def _confidence(measured: Measured) -> Iterator[str]:
    contract, found = measured.contract, measured.confidence
    divided = f"Logits are divided by {contract.temperature} before softmax."
    if found is None:
        yield _paragraph(
            f"""{divided} An answer below {contract.threshold:.2f} is given as "unsure": above it, 95 % of the answers
            on validation images are right."""
        )
        return
    yield _paragraph(
        f"""{divided} P(none) of {contract.none_threshold:.2f} or more is given as "none", a name with less than
        {contract.threshold:.2f} as "unsure". All three are fitted on the validation photos. Fitted on four fifths of
        their people and looked at on the others, five times:"""
    )
    yield _table(
        ("", ""),
        [
            ("pictures without a garment that are named", f"{found.named_nothing:.1%}"),
            ("garments whose likeliest name is right that are named", f"{found.kept:.1%}"),
            ("names that are wrong", f"{found.wrong:.1%}"),
            ("expected calibration error", f"{found.calibration_error:.3f}"),
        ],
    )


def write_card(measured: Measured, source: Source, path: Path) -> None:
    """Writes the card, atomically."""
    text = card(measured, source)
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
