"""What a training run is told: frozen, checked once, written beside its weights."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from edge_app.errors import RunError
from train.devices import PRECISIONS
from train.models import CNNS, MODELS, WIDE


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a training image; each is drawn uniformly from plus to minus its value.

    Rotation and shear in degrees; shift and zoom as a share of the side; ``flip`` mirrors every second picture;
    brightness as a share of the range, contrast as a share of itself; ``erasing`` is the largest share of the area
    that is erased, in every fourth picture; ``blur`` is the largest sigma as a share of the side, in every second.
    """

    rotation_deg: float
    shift: float
    shear_deg: float
    zoom: float
    flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    erasing: float = 0.0
    blur: float = 0.0


@dataclass(frozen=True)
class Mixture:
    """What an epoch of a live model is made of, in samples; every photo comes ``photo_repeats`` times.

    ``fashion``: Fashion-MNIST as it is; ``pasted``: its garments in front of real backgrounds; ``products``: product
    pictures, half of them cut out; ``nothing``: patches of floors, walls and beds, textures, blank frames. All but the
    first are changed as ``augmentation`` says.
    """

    fashion: int
    pasted: int
    products: int
    nothing: int
    photo_repeats: int
    augmentation: Augmentation


@dataclass(frozen=True)
class Teaching:
    """How a network learns from others that see the same views: knowledge distillation, arXiv 1503.02531 section 2.

    ``weight`` (0..1) is the teachers' share in the loss; ``temperature`` divides both sides' logits. ``views``: of so
    many epochs the teachers' answers are kept, because they take long (train.answers, train.fashion_answers); 0 for
    teachers that are asked anew in every step. Kept views are mirrored, and moved by ``moved`` pixels at most, anew in
    every epoch without dropout: what the teachers said of them is taken to hold; 0 leaves them as they are.
    """

    weight: float
    temperature: float
    views: int = 0
    moved: int = 0


@dataclass(frozen=True)
class Tuning:
    """How vgg19 is tuned: first the new head alone, ``head_epochs`` at ``head_rate``, then more at the recipe's rate.
    One that was tuned before keeps its head: ``head_epochs`` is 0.

    Blocks from ``first_block`` (1..5) on learn; with 1 that is the whole base.
    """

    head_epochs: int
    head_rate: float
    first_block: int


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: ``epochs`` on the images as they are, then ``augmented_epochs`` on changed ones, and
    ``final_epochs`` on the images as they are, which are what it will be asked about (arXiv 1909.09148).
    Of a mixture that is Fashion-MNIST; all else is changed to the end.

    ``mixture`` is what a live model sees; None stands for Fashion-MNIST alone. ``teaching`` is None without teachers,
    ``tuning`` for networks that are trained from the start.
    Adam's rate falls from ``learning_rate`` to 0 along half a cosine over all of them (arXiv 1608.03983).
    Dropout layers drop in the first ``dropout_epochs`` of them, None for all: later it only hinders a network that is
    small for what it has to learn (arXiv 2303.01500).
    With ``rounded`` a network that was trained before learns with the roundings of int8 (train.rounding); with
    ``normalized`` one learns with batch normalizations that end up in its weights (train.normalized).
    """

    name: str
    epochs: int
    augmented_epochs: int
    batch_size: int
    learning_rate: float
    augmentation: Augmentation
    label_smoothing: float = 0.0
    mixture: Mixture | None = None
    teaching: Teaching | None = None
    tuning: Tuning | None = None
    final_epochs: int = 0
    dropout_epochs: int | None = None
    rounded: bool = False
    normalized: bool = False


@dataclass(frozen=True)
class Config:
    """One run: model, recipe, seed, side of the input in pixels, digests of what went in, its teachers' names, what its
    network computes in (a key of train.devices.PRECISIONS), and the trained network's name it started from, if any."""

    model: str
    recipe: Recipe
    seed: int
    size: int
    data: dict[str, str]
    teachers: tuple[str, ...] = ()
    precision: str = "float32"
    start: str = ""

    def __post_init__(self) -> None:
        if self.model not in (*MODELS, WIDE):
            raise RunError(f"unknown model {self.model!r}. Choose one of {', '.join(MODELS)}, {WIDE}.")
        if self.model != "vgg19" and self.size != 28:
            raise RunError(f"{self.model} takes 28x28 pixels, not {self.size}. Leave --size out.")
        if self.precision not in PRECISIONS:
            raise RunError(f"unknown precision {self.precision!r}. Choose one of {', '.join(PRECISIONS)}.")
        if self.model == "vgg19" and self.size < 32:
            raise RunError(f"vgg19 halves its input five times: --size must be at least 32, not {self.size}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the model's input: height, width, channels."""
        return self.size, self.size, 3 if self.model == "vgg19" else 1

    @property
    def name(self) -> str:
        """The run's folder name, e.g. ``cnn4-article``."""
        return f"{self.model}-{self.recipe.name}"

    def to_json(self) -> dict[str, Any]:
        """As plain dictionaries and numbers."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Config":
        """The inverse of ``to_json``. Raises RunError for a missing or unknown key."""
        try:
            recipe = dict(fields["recipe"])
            recipe["augmentation"] = Augmentation(**recipe["augmentation"])
            if mixture := recipe.get("mixture"):
                recipe["mixture"] = Mixture(**mixture | {"augmentation": Augmentation(**mixture["augmentation"])})
            if teaching := recipe.get("teaching"):
                recipe["teaching"] = Teaching(**teaching)
            if tuning := recipe.get("tuning"):
                recipe["tuning"] = Tuning(**tuning)
            return cls(**{**fields, "recipe": Recipe(**recipe), "teachers": tuple(fields.get("teachers", ()))})
        except (KeyError, TypeError) as error:
            raise RunError(f"not the configuration of a run of this version ({error}).") from error


def flat(value: Any, name: str = "") -> dict[str, str]:
    """A configuration's settings by their dotted names: {"recipe.augmentation.zoom": "0.08", ...}."""
    if isinstance(value, dict) and value:
        return {k: v for key, inner in value.items() for k, v in flat(inner, f"{name}.{key}" if name else key).items()}
    if isinstance(value, list | tuple):
        return {name: ", ".join(map(str, value)) or "none"}
    return {name: "none" if value is None or value == {} else str(value)}


# The article's ImageDataGenerator: rotation_range=8, *_shift_range=0.08, shear_range=0.3, zoom_range=0.08.
# Adam's default first rate, 0.001, leaves the CNNs short of fitting augmented images in 60 epochs: validation accuracy
# of cnn1, cnn3 and cnn4 91.90, 90.84 and 93.49 %; with 0.003 it is 92.12, 90.91 and 93.84 %.
ARTICLE_RATES = {"cnn1": 3e-3, "cnn3": 3e-3, "cnn4": 3e-3, "vgg19": 1e-3}
FINAL_EPOCHS = 15
# cnn1, whose one dropout is 0.2, gained nothing by its end; cnn3 named 92.8 instead of 92.1 % after 14 epochs without.
DROPOUT = {"cnn3": 20, "cnn4": 20}
ARTICLE_AUGMENTATION = Augmentation(rotation_deg=8, shift=0.08, shear_deg=0.3, zoom=0.08)


def article(model: str) -> Recipe:
    """The article's training: Adam, batches of 256.

    The CNNs see 10 epochs of the images as they are, then 50 of changed ones; the head of vgg19 sees 50. The article
    kept the rate constant, and ended there; here it falls, which ends the noise of augmented training, the CNNs see
    FINAL_EPOCHS of the images as they are once more, and dropout ends early (docs/training.md has figures).
    """
    plain, augmented, final = (10, 50, FINAL_EPOCHS) if model in CNNS else (50, 0, 0)
    rate, dropout = ARTICLE_RATES[model], DROPOUT.get(model)
    return Recipe(
        "article", plain, augmented, 256, rate, ARTICLE_AUGMENTATION, final_epochs=final, dropout_epochs=dropout
    )


# With a GPU, and without. It would soon know the images as they are by heart.
WIDE_EPOCHS = {True: (58, 2), False: (18, 2)}
NORMALIZED = ("cnn1", "cnn3")  # which have no batch normalizations of their own
BEST_RATES = {"cnn1": 3e-3, "cnn3": 3e-3, "cnn4": 3e-3, WIDE: 2e-3}
BEST_AUGMENTATION = dataclasses.replace(ARTICLE_AUGMENTATION, flip=True, erasing=0.2)
# The others' hurts cnn1: taught by cnn4 it named 92.6 % of the validation images with it, 93.0 % with the article's.
BEST_AUGMENTATIONS = {"cnn1": ARTICLE_AUGMENTATION, "cnn3": ARTICLE_AUGMENTATION}


def best(model: str, on_gpu: bool) -> Recipe:
    """To get most out of these networks on Fashion-MNIST: for the larger ones mirrored and erased images, labels
    smoothed by 0.05.

    It is meant for learning from a --teacher, too: ``wide``, trained by this recipe, or several CNNs.
    """
    is_wide = model == WIDE
    epochs, final_epochs = WIDE_EPOCHS[on_gpu] if is_wide else (200 if on_gpu else 60, FINAL_EPOCHS)
    return Recipe(
        "best",
        epochs=0,
        augmented_epochs=epochs,
        batch_size=128 if is_wide else 256,
        learning_rate=BEST_RATES[model],
        augmentation=BEST_AUGMENTATIONS.get(model, BEST_AUGMENTATION),
        label_smoothing=0.05,
        final_epochs=final_epochs,
        dropout_epochs=DROPOUT.get(model),
        normalized=model in NORMALIZED,
    )


# More of it hurts: with 15, 0.12, 6, 0.3 and erasing cnn4 named 69.5 % of the validation photos rightly.
LIVE_MIXTURE = Mixture(
    fashion=36000,
    pasted=6000,
    products=9000,
    nothing=3000,
    photo_repeats=4,
    augmentation=Augmentation(
        rotation_deg=8, shift=0.06, shear_deg=4, zoom=0.15, flip=True, brightness=0.1, contrast=0.5, blur=0.02
    ),
)
LIVE_RATES = {"cnn1": 3e-3, "cnn3": 2e-3, "cnn4": 2e-3, "vgg19": 1e-4, WIDE: 2e-3}
LIVE_DROPOUT = {"cnn3": 28, "cnn4": 28}  # earlier, they learn the views by heart that teachers have answered
VGG_EPOCHS = {True: (20, 2), False: (4, 1)}  # with a GPU, and without; in the last, Fashion-MNIST is not changed
VGG_TUNING = {True: Tuning(3, 1e-3, first_block=1), False: Tuning(1, 1e-3, first_block=4)}
# A CPU takes 0.03 to 0.07 s to learn from a picture: what the photos alone can teach comes first.
VGG_CPU_SHARES: dict[str, Any] = {
    "fashion": 6000,
    "pasted": 700,
    "products": 4500,
    "nothing": 700,
    "photo_repeats": 3,
}
# vgg19 would sooner know the photos by heart than the CNNs, and has the pixels to know a garment that is partly hidden.
VGG_AUGMENTATION = Augmentation(
    rotation_deg=10,
    shift=0.08,
    shear_deg=4,
    zoom=0.25,
    flip=True,
    brightness=0.1,
    contrast=0.3,
    erasing=0.2,
    blur=0.02,
)


def live(model: str, on_gpu: bool) -> Recipe:
    """For camera frames: 48 epochs of the mixture, strongly augmented, labels smoothed by 0.05.

    Dropout ends before the training does, but for cnn1, which has little. vgg19, which is only tuned, sees fewer
    epochs, and on a CPU a smaller mixture.
    """
    is_tuned = model == "vgg19"
    mixture = dataclasses.replace(LIVE_MIXTURE, augmentation=VGG_AUGMENTATION) if is_tuned else LIVE_MIXTURE
    epochs, final_epochs = VGG_EPOCHS[on_gpu] if is_tuned else (40, 8)
    return Recipe(
        "live",
        epochs=0,
        augmented_epochs=epochs,
        batch_size=64 if is_tuned else 256,
        learning_rate=LIVE_RATES[model],
        augmentation=ARTICLE_AUGMENTATION,
        label_smoothing=0.05,
        mixture=dataclasses.replace(mixture, **VGG_CPU_SHARES) if is_tuned and not on_gpu else mixture,
        tuning=VGG_TUNING[on_gpu] if is_tuned else None,
        final_epochs=final_epochs,
        dropout_epochs=LIVE_DROPOUT.get(model),
        normalized=model in NORMALIZED,
    )


FURTHER_RATE = 1e-3  # the trials' rate, docs/training.md


def further(recipe: Recipe, normalized: bool) -> Recipe:
    """``live`` or ``best`` for a CNN that was trained before: fewer epochs, from a lower rate, without dropout where it
    ends; ``normalized`` if it was so before (docs/training.md has figures)."""
    return dataclasses.replace(
        recipe,
        augmented_epochs=12 if recipe.mixture else 32,
        final_epochs=8,
        learning_rate=FURTHER_RATE,
        dropout_epochs=None if recipe.dropout_epochs is None else 0,
        normalized=normalized,
    )


def quantization_aware(recipe: Recipe) -> Recipe:
    """``recipe`` with the roundings of int8. Each kernel is rounded as it is used, so nothing normalizes after it."""
    return dataclasses.replace(recipe, rounded=True, normalized=False)


TEACHING = Teaching(weight=0.7, temperature=2.0)
ANSWERING = Teaching(weight=0.7, temperature=2.0, views=4, moved=1)
ASKED_ONCE = Teaching(weight=0.7, temperature=2.0, views=6)  # wide, on a CPU: three quarters of each step would be its


def recipe_of(name: str, model: str, on_gpu: bool) -> Recipe:
    """A recipe by its name. Raises RunError if that model is not trained by it."""
    rates = {"article": ARTICLE_RATES, "best": BEST_RATES, "live": LIVE_RATES}
    if model not in rates[name]:
        fitting = [other for other in rates if model in rates[other]]
        raise RunError(f"{model} is not trained by the recipe {name}. Choose --recipe {' or '.join(fitting)}.")
    if name == "article":
        return article(model)
    return best(model, on_gpu) if name == "best" else live(model, on_gpu)
