"""The model card: what a model is, what it was made from, how good it is, where it fails."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from edge_app.contract import Contract
from edge_app.models import contracts
from train.paths import START, began_elsewhere, own_collections, published
from train.pictures import PHOTOS, PRODUCTS

if TYPE_CHECKING:
    from converters.measure import Measured
    from train.recipes import Config, Recipe
    from train.source import Source

VGG_CREDIT = (
    "Its convolutional base is VGG-19 by Karen Simonyan and Andrew Zisserman, Visual Geometry Group, Oxford, "
    "released under CC BY 4.0 (https://www.robots.ox.ac.uk/~vgg/research/very_deep/)"
)
FASHION_MNIST = "Fashion-MNIST (Zalando Research, MIT licence, arXiv 1708.07747)"
PLACES = {"on a CPU": False, "on a GPU": True}
SOURCES = {
    PHOTOS: "photos (https://github.com/alexeygrigorev/clothing-dataset, CC0 1.0)",
    PRODUCTS: "product pictures (Fashion Product Images (Small), Kaggle, paramaggarwal, MIT licence)",
}
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


def facts(
    measured: Measured, source: Source, calibration_pictures: int, speeds: list[dict[str, Any]]
) -> dict[str, Any]:
    """Everything the card says, as plain dictionaries, lists and numbers; ``speeds`` are what the benchmark added to a
    former card of the same file."""
    contract, config, result = measured.contract, source.config, source.result
    is_int8 = contract.quantization == "int8"
    found: dict[str, Any] = {
        "contract": contract.to_json(),
        "size_bytes": measured.size_bytes,
        "config": config.to_json(),
        "training": {key: result[key] for key in ("parameters", "best_epoch", "training_s", "device", "backend")},
        "float32_test_accuracy": result["test"]["accuracy"],
        "calibration": {"pictures": calibration_pictures, "seed": config.seed} if is_int8 else None,
        "parity": asdict(measured.parity),
        "kept": asdict(measured.kept),
        "classes": [asdict(report) for report in measured.classes],
        "pictures": {name: asdict(judgement) for name, judgement in measured.pictures.items()},
        "confidence": asdict(measured.confidence) if measured.confidence else None,
        "credits": _credits(config.model, source.is_live),
        "limits": _limits(contract, config) if source.is_live else FASHION_LIMITS,
        "commands": commands(contract.quantization, config),
        "speeds": speeds,
    }
    return found


def card(known: dict[str, Any]) -> str:
    """The card as Markdown, from ``facts``."""
    contract, config, parity, kept = known["contract"], known["config"], known["parity"], known["kept"]
    shape = "x".join(map(str, contract["input"]["shape"]))
    about = f"""{config["model"]}, one of the article's four networks, for pictures of {shape} pixels,
        {contract["quantization"]}, {known["size_bytes"]:,} bytes; {known["training"]["parameters"]:,} parameters. It
        names {len(contract["labels"])} classes: {", ".join(contract["labels"])}."""
    measured_how = f"""Measured on the .tflite itself, through the app's own classifier. The trained network in
        float32 reaches {known["float32_test_accuracy"]:.2%} on the Fashion-MNIST test images.
        {_about_pictures(known)}"""
    alike = f"""Against the trained network, on {parity["count"]} validation images: the same label on
        {parity["agreement"]:.2%}; logits differ by {parity["mean_error"]:.2g} standard deviations in the mean,
        {parity["max_error"]:.2g} at most{_held(known)}. On all {kept["count"]:,} validation pictures of its own kind:
        the same label on {kept["agreement"]:.2%}, right {kept["accuracy"]:.2%} (the trained network
        {kept["float32_accuracy"]:.2%})."""
    accuracy = [(name, f"{value:.2%}") for name, value in contract["accuracy"].items()]
    classes = [(r["label"], *(f"{r[key]:.3f}" for key in ("precision", "recall", "f1"))) for r in known["classes"]]
    is_live = contract["variant"] == "live"
    sections = [
        f"# {contract['name']}",
        *(paragraph(about), paragraph(_origin(known)), *map(paragraph, known["credits"])),
        *("## Accuracy", paragraph(measured_how)),
        *(_table(("images", "right"), accuracy), _table(("class (test)", "precision", "recall", "F1"), classes)),
        *(_by_class(known["pictures"]) if is_live else []),
        *("## Conversion", *_calibration(known), paragraph(alike), "## Confidence", *_confidence(known)),
        *("## Speed", *_speed(known), "## Limits", paragraph(known["limits"])),
        *("## How to repeat it", "```\n" + "\n".join(known["commands"]) + "\n```"),
    ]
    return "\n\n".join(sections) + "\n"


def _credits(model: str, is_live: bool) -> list[str]:
    if model != "vgg19":
        return []
    return [f"{VGG_CREDIT}; the weights were {'tuned and ' if is_live else ''}quantized."]


def commands(quantization: str, config: Config) -> list[str]:
    """What to type to train and convert such a model again, after remarks on what has to be otherwise today."""
    from train.recipes import further, recipe_of
    from train.source import checkpoint_of

    options = f" --size {config.size}" if config.model == "vgg19" else ""
    todays = [recipe_of(config.recipe.name, config.model, on_gpu) for on_gpu in PLACES.values()]
    if config.start and config.model != "vgg19":
        todays = [further(recipe, config.recipe.normalized) for recipe in todays]
    if config.recipe.learning_rate != todays[0].learning_rate:
        options += f" --learning-rate {config.recipe.learning_rate:g}"
    options += f" --mixed-precision {config.precision}" if config.precision != "float32" else ""
    notes: list[str] = []
    if own := own_collections(config.data):
        notes.append(f"# with --photos or --products for {', '.join(own)}, which are not published")
    todays = [as_then(config.recipe, recipe) for recipe in todays]
    if changed := changes(config.recipe, todays):
        notes.append(f"# its recipe has changed since: {', '.join(changed)}")
    by = [place for place, today in zip(PLACES, todays, strict=True) if not changes(config.recipe, [today])]
    if len(by) == 1:
        notes.append(f"# {by[0]}: elsewhere its recipe is another")
    if config.start:
        digest = config.data[START + config.start]
        options += " --start-from EARLIER" + " --quantization-aware" * config.recipe.rounded
        notes.append(f"# EARLIER is the {config.start} it went on from: docs/training.md says what is kept of it")
        notes.append(f"# (its weights, not its file, have the SHA-256 {digest[:12]}...)")
    out = ""
    if config.name in (config.start, *config.teachers):
        out = f"runs/{config.name}-again"
        options += f" --out {out}"
    for name in config.teachers:
        if config.recipe.mixture and config.recipe.teaching and config.recipe.teaching.views:
            options += f" --teacher assets/models/{name}.tflite"
            digest = config.data[f"teacher {name}"]
            is_same = digest in (other.sha256 for other in contracts())
            notes.append(f"# {name}.tflite {'has' if is_same else 'had, then,'} the SHA-256 {digest[:12]}...")
        else:
            digest = config.data[f"teacher {name}"]
            is_start = digest == config.data.get(START + config.start)
            kept = "EARLIER" if is_start else checkpoint_of(name, digest)
            options += f" --teacher {kept or f'runs/{name}'}"
            if kept is None:
                notes.append(f"# runs/{name} had weights of the SHA-256 {digest[:12]}...: see docs/training.md, too")
    name = config.model if config.recipe.mixture else f"{config.model}-fashion-mnist"
    return [
        *notes,
        f"python -m train {config.model} --recipe {config.recipe.name}{options} --seed {config.seed}",
        f"python -m converters {out or f'runs/{config.name}'} --mode {quantization}",
        *([f"python -m train points --model {name}"] if quantization == "int8" else []),
    ]


def as_then(then: Recipe, today: Recipe) -> Recipe:
    """Today's recipe, with what the command adds to it: teachers, roundings of 8 bits, a head that was kept."""
    from train.recipes import ANSWERING, ASKED_ONCE, TEACHING, quantization_aware

    if then.teaching:
        kept = ANSWERING if then.mixture else ASKED_ONCE
        today = replace(today, teaching=kept if then.teaching.views else TEACHING)
    if then.rounded:
        today = quantization_aware(today)
    if today.tuning and then.tuning and not then.tuning.head_epochs:
        today = replace(today, tuning=replace(today.tuning, head_epochs=0))
    return today


def changes(then: Recipe, todays: list[Recipe]) -> list[str]:
    """Names of what a network was trained by and is not in any of ``todays``; of the learning rate speaks the
    command."""
    names = [field.name for field in fields(then) if field.name != "learning_rate"]
    return [name for name in names if getattr(then, name) not in [getattr(today, name) for today in todays]]


def paragraph(text: str) -> str:
    """Text in lines of 120 characters at most."""
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _origin(known: dict[str, Any]) -> str:
    config, training = known["config"], known["training"]
    recipe, mixture = config["recipe"], config["recipe"]["mixture"]
    taught = f"Taught by {', '.join(config['teachers'])} (arXiv 1503.02531)." if config["teachers"] else ""
    but = ", not counting the head alone" if recipe["tuning"] and recipe["tuning"]["head_epochs"] else ""
    if start := config.get("start"):
        before = ", tuned before" if recipe["tuning"] else ""
        but = f", not counting those of an earlier {start}{before}, with whose weights it began"
    end = f"""on {training["device"]} with {training["backend"]}, {training["training_s"] / 60:.0f} minutes{but}. The
        weights are those of epoch {training["best_epoch"]}, the best of them on"""
    first = recipe.get("dropout_epochs")  # older runs have no word of it
    dropped = {None: "", 0: ", without dropout"}.get(first, f", with dropout in the first {first} of all")
    dropped += ", with the roundings of 8 bits (arXiv 1712.05877)" if recipe.get("rounded") else ""
    dropped += ", with batch normalizations that are now in its weights" if recipe.get("normalized") else ""
    if mixture is None:
        plain = f"{recipe['epochs']} epochs as they are and " if recipe["epochs"] else ""
        epochs = "" if recipe["epochs"] else " epochs"
        how = " (also mirrored, and partly erased)" if recipe["augmentation"]["flip"] else ""
        if recipe["teaching"] and recipe["teaching"]["views"]:
            how += f", of {recipe['teaching']['views']} epochs' views in turn"
        how += f", then {recipe['final_epochs']} as they are" if recipe["final_epochs"] else ""
        course = f"{plain}{recipe['augmented_epochs']}{epochs} augmented{how}{dropped}"
        return f"""Trained on {FASHION_MNIST}: 48,000 images, {course}, {end} 12,000 validation images. {taught}"""
    sources = " and on ".join(words for layout, words in SOURCES.items() if published(config["data"], layout))
    own = "".join(f", on {name}, which is not published" for name in own_collections(config["data"]))
    return f"""Trained on {FASHION_MNIST}{sources and ", on "}{sources}{own}, mixed: an epoch
        has {mixture["fashion"]:,} images of Fashion-MNIST as they are, {mixture["pasted"]:,} of its garments in front
        of real backgrounds, every photo {mixture["photo_repeats"]} times, {mixture["products"]:,} product pictures and
        {mixture["nothing"]:,} of nothing. {_course(recipe)}{dropped}, {end} validation pictures of all three
        kinds. {taught}"""


def _course(recipe: dict[str, Any]) -> str:
    epochs, final, tuning = recipe["augmented_epochs"], recipe["final_epochs"], recipe["tuning"]
    last = f", then {final} in which Fashion-MNIST comes unchanged" if final else ""
    if tuning is None:
        course = f"{epochs} such epochs{last}"
        views = recipe["teaching"]["views"] if recipe["teaching"] else 0
        if not views:
            return course
        pixels = recipe["teaching"]["moved"]
        moves = pixels and recipe["dropout_epochs"] is not None
        moved = f" They are mirrored, and moved by up to {pixels} pixel, where dropout has ended." if moves else ""
        return f"Views of {views} such epochs, and a quarter more that are two in one.{moved} {course}"
    first, head = tuning["first_block"], tuning["head_epochs"]
    base = "all layers below it" if first == 1 else f"the base from block {first} on"
    if not head:
        return f"{epochs} such epochs for the head and {base}{last}"
    return f"{head} such epoch{'s' if head > 1 else ''} for the new head alone, then {epochs} for it and {base}{last}"


def _limits(contract: Contract, config: Config) -> str:
    added = "What the pictures that were added show is not said here; of the published ones: " + LIVE_LIMITS
    return (added if own_collections(config.data) else LIVE_LIMITS) + (
        " It sees grey: colour tells it nothing." if contract.input.colour == "grey" else ""
    )


def _about_pictures(known: dict[str, Any]) -> str:
    if not known["pictures"]:
        return ""
    is_live = known["contract"]["variant"] == "live"
    taught = "Nobody who took a validation photo took one to train on." if is_live else "It was trained on neither."
    if own_collections(known["config"]["data"]):
        taught = "Nobody known to have taken a validation photo took one to train on."
    if began_elsewhere(known["config"]["data"], known["config"].get("start", "")):
        taught = "What it began with had learned from others, perhaps from some of these: figures may be too good."
    return f"""Photos were taken by people at home; products are small shop pictures, many of them worn (docs/results.md
        says where they are from). {taught}"""


def _by_class(pictures: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Real pictures, class by class."""
    for name, found in pictures.items():
        rows = [(label, f"{share:.1%}", found["counts"][label]) for label, share in found["classes"].items()]
        yield _table((f"class ({name} val)", "right", "pictures"), rows)
        none = "" if found["auroc"] is None else f", AUROC of P(none) {found['auroc']:.3f}"
        yield f"{name} val: {found['right']:.1%} right, {found['balanced']:.1%} in the mean over classes{none}."


def _calibration(known: dict[str, Any]) -> Iterator[str]:
    calibration = known["calibration"]
    if calibration is None:
        return
    kinds = "its training images, as many of each class"
    if known["contract"]["variant"] == "live":
        kinds = "Fashion-MNIST, photos and products to train on, of each up to 200 of a class"
    yield paragraph(
        f"""Ranges of 8 bits were found on {calibration["pictures"]:,} pictures: {kinds} (seed {calibration["seed"]}).
        Weights have a scale for each channel, everything else one scale."""
    )


def _held(known: dict[str, Any]) -> str:
    return ", taken as far as 8 bits hold them" if known["calibration"] else ""


def _confidence(known: dict[str, Any]) -> Iterator[str]:
    contract, found = known["contract"], known["confidence"]
    divided = f"Logits are divided by {contract['temperature']} before softmax."
    if found is None:
        yield paragraph(
            f"""{divided} An answer below {contract["threshold"]:.2f} is given as "unsure": above it, 95 % or
            more of the answers on validation images are right."""
        )
        return
    unsure = f'a name with less than {contract["threshold"]:.2f} as "unsure"'
    if not contract["threshold"]:
        unsure = 'nothing as "unsure", unless the threshold for it, 0, is raised'
    yield paragraph(
        f"""{divided} P(none) of {contract["none_threshold"]:.2f} or more is given as "none", {unsure}. All three are
        fitted on the validation photos. Fitted on four fifths of their people and looked at on the others, five
        times:"""
    )
    yield _table(
        ("", ""),
        [
            ("pictures without a garment that are named", f"{found['named_nothing']:.1%}"),
            ("garments whose likeliest name is right that are named", f"{found['kept']:.1%}"),
            ("names that are wrong", f"{found['wrong']:.1%}"),
            ("expected calibration error", f"{found['calibration_error']:.3f}"),
        ],
    )


def _speed(known: dict[str, Any]) -> Iterator[str]:
    if not known["speeds"]:
        yield f"`python -m edge_app bench --model {known['contract']['name']}` measures it where you are."
        return
    rows = [
        (s["threads"], *(f"{s[key] / 1000:.3f} ms" for key in ("p50_us", "p95_us")), s["n"]) for s in known["speeds"]
    ]
    yield _table(("threads", "one picture, median", "95th percentile", "n"), rows)
    yield paragraph(known["speeds"][0]["conditions"])
