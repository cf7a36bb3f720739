"""Learning Fashion-MNIST from networks that take longer to answer than a pupil to learn: they are asked once.

The views of a few epochs are made and answered, kept in the run's folder, and seen again and again.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from train.answers import Rounds, known, read_known, save_known, through
from train.augment import augmentation_layers, reseed
from train.files import write_atomically
from train.fit import Examples, Phase, Teachers
from train.recipes import Config

UInt8 = npt.NDArray[np.uint8]

FOLDER = "answers"
BATCH = 200  # views that are answered at once


def answered_fashion(config: Config, train: Examples, teachers: Sequence[keras.Model], run_dir: Path) -> list[Phase]:
    """``fashion_phases`` of ``train``, pixels uint8 (N, 28, 28, 1), in which the recipe's ``views`` rounds of changed
    ones come in turn, an epoch each; all with what the ``teachers`` say of them (train.answers.known).

    A round depends on the seed, its number and Keras's backend, and is whole or not there: a stopped run goes on with
    the same. Raises RunError for a damaged one.
    """
    recipe = config.recipe
    assert recipe.teaching is not None
    augment = keras.Sequential([keras.Input((28, 28, 1)), *augmentation_layers(recipe.augmentation, config.seed)])

    def changed(number: int) -> UInt8:
        reseed(augment, (config.seed, number))
        return through(augment, train.inputs, training=True)

    pixels = keras.Input((28, 28, 1))
    asked = keras.Model(pixels, Teachers(teachers)(pixels))

    def answered(name: str, make: Callable[[], UInt8]) -> Examples:
        path = run_dir / FOLDER / f"{name}.npz"
        if not path.exists():
            shown = make()
            said = asked.predict(shown, batch_size=BATCH, verbose=0)
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, functools.partial(save_known, pixels=shown, known=known(train.targets, said)))
            print(f"teachers have answered: {path}", flush=True)
        return Examples(*read_known(path))

    rounds = [answered(f"{number:02d}", functools.partial(changed, number)) for number in range(recipe.teaching.views)]
    as_they_are = answered("as-they-are", lambda: np.asarray(train.inputs, np.uint8))

    def phase(end: int, examples: list[Examples]) -> Phase:
        return Phase(end, lambda epoch: Rounds(examples, recipe.batch_size, config.seed, epoch, pixels=0), None)

    augmented = recipe.epochs + recipe.augmented_epochs
    return [
        phase(recipe.epochs, [as_they_are]),
        phase(augmented, rounds),
        phase(augmented + recipe.final_epochs, [as_they_are]),
    ]
