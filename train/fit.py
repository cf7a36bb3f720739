"""The training loop: Keras's own ``fit``, kept after every epoch, so that it can be stopped at any moment."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from train.augment import augmentation_layers
from train.devices import WORKERS_ON_GPU, jit_compile, on_gpu
from train.keeper import HISTORY, STATE, Keeper, write_history
from train.losses import accuracy, answered, answered_accuracy, cross_entropy, students_accuracy, taught
from train.models import flattened
from train.recipes import Config, Recipe
from train.rounding import rounded
from train.state import Row, State, assign
from train.team import ALONE, Served, Team

Float32 = npt.NDArray[np.float32]
VALIDATION_BATCH = 200  # what vgg19 makes of 1,000 pictures of 96 pixels takes 5 GB
SETTLING = 10_000  # pictures for the batch normalizations' last statistics


@dataclass(frozen=True)
class Examples:
    """Model inputs (N, ...), any numeric dtype, and one-hot targets, float32 (N, classes)."""

    inputs: npt.NDArray[np.generic]
    targets: Float32


class InOrder(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of examples in their order."""

    def __init__(self, examples: Examples, batch_size: int) -> None:
        super().__init__()
        self.examples, self.batch_size = examples, batch_size

    def __len__(self) -> int:
        return math.ceil(len(self.examples.inputs) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[Float32, Float32]:
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.examples.inputs[rows].astype(np.float32), self.examples.targets[rows]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches in an order drawn anew for every epoch from (seed, epoch) alone, so that a resumed run sees the same.

    Keras ends an epoch before its first, too: what it trains on in the epoch e is drawn from (seed, e + 1).
    """

    def __init__(self, examples: Examples, batch_size: int, seed: int, epoch: int) -> None:
        super().__init__()
        self.examples, self.batch_size, self.seed, self.epoch = examples, batch_size, seed, epoch
        self._draw()

    def _draw(self) -> None:
        self.order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.examples.inputs))

    def __len__(self) -> int:
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[Float32, Float32]:
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.examples.inputs[chosen].astype(np.float32), self.examples.targets[chosen]

    def on_epoch_end(self) -> None:
        """Called by Keras between two epochs."""
        self.epoch += 1
        self._draw()


@dataclass(frozen=True)
class Phase:
    """A stretch of training, up to epoch ``end``: on ``batches(epoch)``, those of that epoch and of the following ones,
    through ``augment`` where there is one."""

    end: int
    batches: Callable[[int], keras.utils.PyDataset]
    augment: keras.Model | None


@dataclass(frozen=True)
class Trained:
    """A network with its best epoch's weights, the history of all epochs, and what makes the pictures on which its
    batch normalizations are settled if dropout was on then, float32 (N, H, W, C): as they are, but for ``live``,
    whose photos need their mixture."""

    network: keras.Model
    history: list[Row]
    views: Callable[[], Float32] | None = None


def views(phase: Phase, count: int = SETTLING) -> Float32:
    """What a network meets in the phase's first epoch: the first batches, up to ``count`` pictures or some more."""
    found: list[Float32] = []
    batches = phase.batches(0)
    for index in range(len(batches)):
        inputs, _ = batches[index]
        shown = phase.augment(inputs, training=True) if phase.augment else inputs
        found.append(np.asarray(keras.ops.convert_to_numpy(shown), np.float32))
        if sum(map(len, found)) >= count:
            break
    return np.concatenate(found)


def apart(phases: list[Phase], epoch: int | None) -> list[Phase]:
    """The phases; the one that goes on beyond ``epoch``, if one does, as two that meet there."""
    parts, start = [], 0
    for phase in phases:
        if epoch is not None and start < epoch < phase.end:
            parts.append(replace(phase, end=epoch))
        parts.append(phase)
        start = phase.end
    return parts


def drops(recipe: Recipe, end: int) -> bool:
    """Whether dropout layers drop in a phase up to this epoch."""
    return recipe.dropout_epochs is None or end <= recipe.dropout_epochs


@contextmanager
def without_dropout(network: keras.Model) -> Iterator[None]:
    """Inside, the network's dropout layers drop nothing: a model compiled anew and first run there has none."""
    rates = [(layer, layer.rate) for layer in flattened(network) if isinstance(layer, keras.layers.Dropout)]
    try:
        for layer, _ in rates:
            layer.rate = 0.0
        yield
    finally:
        for layer, rate in rates:
            layer.rate = rate


def fashion_phases(recipe: Recipe, train: Examples, seed: int) -> list[Phase]:
    """The examples as they are, then augmented, then as they are again, for as many epochs as the recipe says."""

    def batches(epoch: int) -> Batches:
        return Batches(train, recipe.batch_size, seed, epoch)

    plain = Phase(recipe.epochs, batches, None)
    if not recipe.augmented_epochs:
        return [plain]
    layers = [keras.Input(train.inputs.shape[1:]), *augmentation_layers(recipe.augmentation, seed)]
    augmented = Phase(recipe.epochs + recipe.augmented_epochs, batches, keras.Sequential(layers))
    return [plain, augmented, Phase(augmented.end + recipe.final_epochs, batches, None)]


class Teachers(keras.layers.Layer):  # type: ignore[misc]
    """Networks that teach: their mean logits (N, C), never training, whatever goes on around them."""

    def __init__(self, networks: Sequence[keras.Model]) -> None:
        super().__init__()
        self.networks = [keras.Model(network.input, network.output["logits"]) for network in networks]
        self.trainable = False  # and all their variables with it

    def call(self, views: keras.KerasTensor) -> keras.KerasTensor:
        answers = [network(views, training=False) for network in self.networks]
        return keras.ops.mean(keras.ops.stack(answers), axis=0)


def class_of(student: keras.Model, augment: keras.Model | None, teachers: Sequence[keras.Model]) -> keras.Model:
    """Pictures -> (N, 2, C): the student's and the teachers' logits for the same views."""
    pictures = keras.Input((augment or student).inputs[0].shape[1:])
    views = augment(pictures) if augment else pictures
    return keras.Model(pictures, keras.ops.stack([student(views), Teachers(teachers)(views)], axis=1))


def fit(
    network: keras.Model,
    config: Config,
    phases: list[Phase],
    val: Examples,
    run_dir: Path,
    *,
    teachers: Sequence[keras.Model] = (),
    team: Team = ALONE,
) -> list[Row]:
    """Trains ``network`` in place, from where ``run_dir`` left off, and leaves it with its best epoch's weights.

    ``teachers`` are used where the recipe says how; what they have answered beforehand is in the batches' targets.
    Where the recipe has it ``rounded``, the history is that of the rounded network.
    Network, phases and teachers were made inside ``team.scope()``.
    Returns the history of all epochs, those of earlier calls too. Raises RunError if the loss is not finite.
    """
    recipe, total = config.recipe, phases[-1].end
    classifier = rounded(network) if recipe.rounded else keras.Model(network.input, network.output["logits"])
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps(phases)))
    if config.precision == "float16":  # its smallest number is too large for many a gradient
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(classifier.trainable_variables)
    others = [*(v for phase in phases if phase.augment for v in phase.augment.variables), *optimizer.variables]

    state = State.load(run_dir / STATE)
    if state.history:
        assign([*network.variables, *others], state.variables)
        if team.is_chief:
            write_history(run_dir / HISTORY, state.history)  # it may have been stopped between the two files
        print(f"going on after epoch {len(state.history)} of {total}", flush=True)
    judges = (val.inputs, val.targets) if team.devices == 1 else Served(InOrder(val, VALIDATION_BATCH), team)
    for phase in apart(phases, recipe.dropout_epochs):
        if len(state.history) >= phase.end:
            continue
        model = keras.Sequential([phase.augment, classifier]) if phase.augment else classifier
        loss, metric = cross_entropy(recipe.label_smoothing), keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")
        if teaching := recipe.teaching:
            make, of = (answered, answered_accuracy) if teaching.views else (taught, students_accuracy)
            loss = make(recipe.label_smoothing, teaching.weight, teaching.temperature)
            metric = keras.metrics.MeanMetricWrapper(of, name="accuracy")
            model = model if teaching.views else class_of(classifier, phase.augment, teachers)
        model.compile(optimizer=optimizer, loss=loss, metrics=[metric], jit_compile=jit_compile())
        start = len(state.history)
        batches = Served(phase.batches(start), team, WORKERS_ON_GPU if on_gpu() else 1)
        with nullcontext() if drops(recipe, phase.end) else without_dropout(network):
            model.fit(
                batches,
                validation_data=judges,
                validation_batch_size=VALIDATION_BATCH,
                initial_epoch=start,
                epochs=phase.end,
                shuffle=False,
                verbose=0,
                callbacks=[
                    Keeper(run_dir, state, network, others, total=total, batches=batches, is_chief=team.is_chief)
                ],
            )
    assign(network.weights, state.best)
    return state.history


def steps(phases: list[Phase]) -> int:
    """Batches in all epochs of all phases."""
    starts = [0, *(phase.end for phase in phases)]
    return sum((phase.end - start) * len(phase.batches(0)) for start, phase in zip(starts, phases, strict=False))
