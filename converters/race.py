"""Engines timed against each other, a few calls of each in turn: ``python -m converters.race FOLDER RUN THREADS``.

A process of its own for each number of threads, as TensorFlow takes it once.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from converters.peers import Engine, Missing, engines
from edge_app.errors import ConversionError, EdgeAppError

UInt8 = npt.NDArray[np.uint8]

ROUNDS = 20
WARM_UP_CALLS = 5
BLOCK_S = 0.15  # how long one engine runs before the next has its turn
BLOCK_CALLS = 50
PAUSE_S = 0.02  # for the threads of the engine before to fall asleep
SAME_LABELS = 0.9


def race(found: dict[str, Engine], pictures: UInt8) -> dict[str, list[float]]:
    """Times each engine on model-ready pixels uint8 (N, H, W, C), one picture a call: microseconds by name.

    Each round every engine has a block of calls, in an order drawn anew.
    """
    ready = {name: [engine.ready(image) for image in pictures] for name, engine in found.items()}
    times_us: dict[str, list[float]] = {name: [] for name in found}
    random = np.random.default_rng(0)
    names = list(found)
    for _ in range(ROUNDS):
        for index in random.permutation(len(names)):
            name = names[index]
            time.sleep(PAUSE_S)
            times_us[name] += time_block(found[name], ready[name])
    return times_us


def time_block(engine: Engine, ready: list[object]) -> list[float]:
    """A few calls to warm up, BLOCK_S at most, then up to BLOCK_CALLS, or BLOCK_S, of timed ones: microseconds each."""
    deadline = time.perf_counter() + BLOCK_S
    for picture in ready[:WARM_UP_CALLS]:
        engine.call(picture)
        if time.perf_counter() > deadline:
            break
    deadline = time.perf_counter() + BLOCK_S
    times_us: list[float] = []
    while len(times_us) < BLOCK_CALLS and (not times_us or time.perf_counter() < deadline):
        picture = ready[len(times_us) % len(ready)]
        started = time.perf_counter()
        engine.call(picture)
        times_us.append(1e6 * (time.perf_counter() - started))
    return times_us


def summary(times_us: list[float]) -> dict[str, float]:
    """n, and median and 95th percentile in microseconds."""
    p50, p95 = (round(float(p), 1) for p in np.percentile(times_us, (50, 95)))
    return {"n": len(times_us), "p50_us": p50, "p95_us": p95}


def require_same_labels(found: dict[str, Engine], pictures: UInt8) -> None:
    """Raises ConversionError for an engine whose labels differ from the first's: it runs something else."""
    labels = {
        name: np.array([engine.call(engine.ready(image)).argmax() for image in pictures])
        for name, engine in found.items()
    }
    first = next(iter(labels))
    for name, own in labels.items():
        if (share := float((own == labels[first]).mean())) < SAME_LABELS:
            raise ConversionError(
                f"{name} agrees with {first} on {share:.0%} of the pictures only: not the same network."
            )


def main(argv: list[str]) -> int:
    """Prints one JSON object: ``engines`` (name -> summary), ``missing`` and ``versions``."""
    folder, run, threads, with_peers = Path(argv[0]), Path(argv[1]), int(argv[2]), argv[3] == "peers"
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
    from converters.fold import fold_batch_norms
    from train.source import load_chain

    network = fold_batch_norms(load_chain(run).network)
    made = dict(engines(folder, network, threads, with_peers))
    found = {name: engine for name, engine in made.items() if isinstance(engine, Engine)}
    pictures = np.load(folder / "pictures.npy")
    require_same_labels(found, pictures)
    report = {
        "engines": {name: summary(times_us) for name, times_us in race(found, pictures).items()},
        "missing": [engine.reason for engine in made.values() if isinstance(engine, Missing)],
        "versions": {k: v for engine in found.values() for k, v in engine.versions.items()},
    }
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EdgeAppError as error:
        sys.exit(str(error))
