"""Training on several devices at once: the data parallelism of Keras (JAX) and of TensorFlow, nothing of our own.

Every device has the whole network and takes its share of each batch; gradients are averaged. A batch is as large, and
an epoch as long, as on one device. One machine: all its devices, under either backend. Several machines: under JAX.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import keras

from edge_app.errors import RunError

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"  # Keras's own variable; also ..._NUM_PROCESSES and ..._PROCESS_ID
CLUSTER = "TF_CONFIG"  # TensorFlow's


@dataclass(frozen=True)
class Team:
    """``devices`` compute together, in as many ``processes``, of which this is number ``place``.

    What they train is made inside ``scope()``. Only the chief, number 0, writes to the run's folder, which all see.
    """

    devices: int = 1
    processes: int = 1
    place: int = 0
    scope: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext

    @property
    def is_chief(self) -> bool:
        """Whether this process writes files."""
        return self.place == 0


ALONE = Team()


def gather(model: str, recipe: str) -> Team:
    """All devices that the backend sees; with Keras's variables for it set, those of all machines.

    To be called before anything is computed. Raises RunError for what cannot be trained so.
    """
    if keras.backend.backend() == "jax":
        if model == "vgg19":
            other = "." if recipe == "live" else ", or set KERAS_BACKEND=tensorflow."
            raise RunError(f"under JAX vgg19 is trained on one device. Leave --all-devices out{other}")
        return _gather_jax()
    if keras.backend.backend() != "tensorflow":
        raise RunError(f"--all-devices needs TensorFlow or JAX, not {keras.backend.backend()}. Leave it out.")
    try:
        workers = json.loads(os.environ.get(CLUSTER, "{}")).get("cluster", {}).get("worker", ())
    except (ValueError, AttributeError) as error:
        raise RunError(f"{CLUSTER} is not what TensorFlow expects ({error}). Unset it.") from error
    if len(workers) > 1:
        raise RunError(
            f"Keras {keras.__version__} cannot train on several machines under TensorFlow "
            f"(https://github.com/keras-team/keras/issues/20585). Unset {CLUSTER}, or set KERAS_BACKEND=jax and "
            f"{ADDRESSES}."
        )
    import tensorflow

    names = [d.name for kind in ("GPU", "CPU") for d in tensorflow.config.list_logical_devices(kind)]
    accelerators = [name for name in names if "GPU" in name] or names
    if len(accelerators) == 1:
        return ALONE
    if recipe == "live":
        other = "." if model == "vgg19" else ", or set KERAS_BACKEND=jax."
        raise RunError(
            "under TensorFlow a device sees a part of each batch only, and the recipe live treats rows by their place "
            f"in the whole. Leave --all-devices out{other}"
        )
    return Team(devices=len(accelerators), scope=tensorflow.distribute.MirroredStrategy(accelerators).scope)


def _gather_jax() -> Team:
    import jax

    if ADDRESSES in os.environ:
        keras.distribution.initialize()
    names = keras.distribution.list_devices()
    if len(names) == 1:
        return ALONE
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names, auto_shard_dataset=False))
    return Team(len(names), jax.process_count(), jax.process_index())


class Served(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches as a team wants them: this process's rows of each, as many for every device.

    Rows that are left over are left out, and so is a last batch with fewer rows than devices. ``seconds`` is how long
    it took to make batches since it was set to 0; with several ``workers`` they are made beside one another.
    """

    def __init__(self, batches: keras.utils.PyDataset, team: Team, workers: int = 1) -> None:
        super().__init__(workers=workers, max_queue_size=4 * workers)
        self.batches, self.team, self.seconds = batches, team, 0.0
        self.length = len(batches)
        if team.devices > 1 and len(batches[self.length - 1][1]) < team.devices:
            self.length -= 1

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        began = time.perf_counter()
        inputs, targets = self.batches[index]
        team = self.team
        if team.devices > 1:
            rows = len(targets) // team.devices * team.devices // team.processes
            own = slice(team.place * rows, (team.place + 1) * rows)
            inputs, targets = inputs[own], targets[own]
        self.seconds += (time.perf_counter() - began) / self.workers
        return inputs, targets

    def on_epoch_end(self) -> None:
        """Called by Keras between two epochs."""
        self.batches.on_epoch_end()


def on_one_device(network: keras.Model, like: Callable[[], keras.Model], team: Team) -> keras.Model:
    """The network's weights in one that ``like`` makes, on one device of this process: for what follows a training."""
    if team.devices > 1 and keras.backend.backend() == "jax":
        keras.distribution.set_distribution(None)
    plain = like()
    plain.set_weights(network.get_weights())
    return plain
