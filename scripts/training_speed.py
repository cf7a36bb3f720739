"""How long `python -m train cnn4` takes, as a share of what a minimal Keras script takes for the same steps.

Both train in turn, each time in a process of its own: an epoch as it is and two augmented ones of the first N batches
of Fashion-MNIST, each with its validation. What is timed begins with building the network and ends with the last epoch;
for this project it includes keeping the state, history and log after every epoch. With N below the 188 batches of a
whole epoch, what an epoch costs beside its batches counts for more than it does in a real run.
"""

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SIDES = ("minimal", "ours")
PLAIN, AUGMENTED = 1, 2
BAR = 1.05


def measure(side: str, batches: int) -> dict[str, float]:
    """Seconds by the clock and of the processor that one training takes."""
    from minimal_keras import train as train_minimal

    from train.data import FashionMnist, Split, load_fashion_mnist
    from train.recipes import Config, article
    from train.run import train_cnn

    whole = load_fashion_mnist(None, seed=1)
    count = batches * 256
    part, val = (Split(s.images[:n], s.labels[:n]) for s, n in ((whole.train, count), (whole.val, count // 4)))
    recipe = dataclasses.replace(article("cnn4"), epochs=PLAIN, augmented_epochs=AUGMENTED, final_epochs=0)
    with tempfile.TemporaryDirectory() as folder:
        steps: Callable[[], object] = {
            "minimal": lambda: train_minimal(part.images, part.labels, (val.images, val.labels), PLAIN, AUGMENTED),
            "ours": lambda: train_cnn(
                Config("cnn4", recipe, 1, 28, {}), FashionMnist(part, val, val, {}), Path(folder), ()
            ),
        }[side]
        clock, processor = time.perf_counter(), time.process_time()
        steps()
        return {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}


def measured_apart(side: str, batches: int) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, "-W", "ignore", __file__, "--side", side, "--batches", str(batches)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Prints a line a pair, then the medians; 1 if the processor's ratio is above the bar."""
    parser = argparse.ArgumentParser(prog="scripts/measure-training", description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7, help="how often both train (7)")
    parser.add_argument("--batches", type=int, default=40, help="batches an epoch, up to 188 (40)")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        print(json.dumps(measure(args.side, args.batches)))
        return 0
    ratios: dict[str, list[float]] = {"clock": [], "processor": []}
    for pair in range(args.pairs):
        order = SIDES if pair % 2 == 0 else SIDES[::-1]
        found = {side: measured_apart(side, args.batches) for side in order}
        for kind, values in ratios.items():
            values.append(found["ours"][kind] / found["minimal"][kind])
        words = ", ".join(
            f"{kind} {found['ours'][kind]:.1f} s against {found['minimal'][kind]:.1f} s: {values[-1]:.3f}"
            for kind, values in ratios.items()
        )
        print(f"pair {pair + 1}: {words}", flush=True)
    for kind, values in ratios.items():
        spread = f"{min(values):.3f} to {max(values):.3f}, n {len(values)}"
        print(f"{kind}: median {statistics.median(values):.3f} of the minimal script's, {spread}")
    return int(statistics.median(ratios["processor"]) > BAR)


if __name__ == "__main__":
    sys.exit(main())
