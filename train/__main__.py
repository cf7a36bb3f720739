"""Command line: ``python -m train MODEL --recipe article``; also the commands of COMMANDS."""

import argparse
import dataclasses
import importlib
import math
import os
import sys
from pathlib import Path

from edge_app.errors import EdgeAppError, RunError
from train.paths import add_own_pictures
from train.quiet import INTERRUPTED, leave, load_backend

COMMANDS = {
    "compare": "train.compare",
    "crops": "train.crops",
    "maps": "train.maps",
    "points": "train.points",
    "project": "train.project",
    "teach-figures": "train.teach_figures",
}
ELSEWHERE = (
    "{} has learned from other pictures than these, perhaps from some that are for validation here: figures and "
    "thresholds may come out too good. {}"
)
WITH_KERAS = ("maps", "points")  # compare looks for it itself: it needs it for runs only


def parse(argv: list[str]) -> argparse.Namespace:
    """The arguments, checked by argparse."""
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Trains one of the four networks, or wide, which only teaches them. Stop it at any moment: the "
        "same command goes on from the last whole epoch.",
        epilog="python -m train compare: tables and pictures over all installed models, or over runs. crops: does "
        "it help to look at several views of a picture? maps: what each layer makes of a picture. points: known "
        "garments as they see them, for the map and for teaching. project: pictures as points, for TensorBoard and a "
        "page of its own. teach-figures: how well a model is taught new names.",
    )
    parser.add_argument("model", choices=("cnn1", "cnn3", "cnn4", "vgg19", "wide"))
    parser.add_argument(
        "--recipe", choices=("article", "best", "live"), default="article", help="how it is trained (article)"
    )
    parser.add_argument("--data", metavar="DIR", help="folder holding fashion-mnist/ ($EDGE_APP_DATA, else a download)")
    add_own_pictures(
        parser, "for live: also learn from these own {}, an archive or folder; may be given more than once"
    )
    parser.add_argument(
        "--teacher",
        metavar="RUN",
        type=Path,
        action="append",
        default=[],
        help="also learn from this trained run or checkpoint, or, for live, from a converted model (a .tflite with its "
        "contract), which may take other pixels, such as vgg19; may be given more than once",
    )
    parser.add_argument("--out", metavar="DIR", help="the run's folder (runs/MODEL-RECIPE)")
    parser.add_argument("--seed", type=_seed, default=1, help="of the split, the weights and the order of images (1)")
    parser.add_argument(
        "--mixed-precision",
        choices=("bfloat16", "float16"),
        help="compute in 16 bits, keep weights and state in 32: faster on GPUs with tensor cores, and bfloat16 on "
        "processors with instructions for it",
    )
    parser.add_argument(
        "--all-devices",
        action="store_true",
        help="train on all GPUs of this machine; with Keras's variables for it set, of several machines (JAX)",
    )
    parser.add_argument("--learning-rate", type=_positive, metavar="RATE", help="Adam's first (the recipe's own)")
    parser.add_argument(
        "--size", type=_whole, metavar="PX", help="side of vgg19's input (live 128; article 150 on a GPU, 64 on a CPU)"
    )
    parser.add_argument("--backbone-weights", metavar="FILE", help="VGG-19's ImageNet weights (a download)")
    parser.add_argument(
        "--start-from",
        metavar="RUN",
        type=Path,
        help="for live and best: go on from this run or checkpoint of the same model and kind, for vgg19 also from a "
        "converted one",
    )
    parser.add_argument(
        "--quantization-aware",
        action="store_true",
        help="for a CNN that goes on: learn with the roundings of int8 (if its conversion loses too much; slower)",
    )
    return parser.parse_args(argv)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number, 0 or more")
    return int(text)


def _seed(text: str) -> int:
    if (seed := _whole(text)) >= 2**32:  # Keras takes no other
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number below 2**32")
    return seed


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: expected a number above 0")
    return number


def main(argv: list[str]) -> int:
    """Runs a training or another command; returns the exit status: 0 done, 2 a clear error, 130 stopped by Ctrl-C."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        if argv and argv[0] in COMMANDS:
            if argv[0] in WITH_KERAS:
                load_backend()
            return int(importlib.import_module(COMMANDS[argv[0]]).main(argv[1:]))
        args = parse(argv)
        load_backend()
        return _train(args)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed here. Install it by `pip install -e '.[train]'`", file=sys.stderr)
        return 2
    except (EdgeAppError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        went = "" if argv and argv[0] in COMMANDS else "; the same command goes on from the last whole epoch"
        print(f"\nstopped{went}", file=sys.stderr)
        return INTERRUPTED


def _refuse(args: argparse.Namespace) -> None:
    """Raises RunError for options that do not go together."""
    from train.models import CNNS

    if args.start_from and (args.recipe == "article" or args.model == "wide"):
        raise RunError("--start-from is for cnn1, cnn3 and cnn4 by --recipe live or best, vgg19 by live. Leave it out.")
    if args.start_from and args.backbone_weights:
        raise RunError("--start-from and --backbone-weights both say what a network begins with: leave one out.")
    if args.backbone_weights and args.model != "vgg19":
        raise RunError("--backbone-weights is for vgg19. Leave it out.")
    if args.quantization_aware and (args.start_from is None or args.model not in CNNS):
        raise RunError("--quantization-aware is for cnn1, cnn3 and cnn4 with --start-from. Leave it out.")
    if args.quantization_aware and args.mixed_precision:
        raise RunError("--quantization-aware computes in float32: 16 bits miss its steps. Leave --mixed-precision out.")


def _train(args: argparse.Namespace) -> int:
    from train.data import find_data, load_fashion_mnist
    from train.devices import computes_in, computing_in, device_name, on_gpu
    from train.paths import UNPACKED, began_elsewhere, digests_of, elsewhere, find_paths
    from train.recipes import Config, quantization_aware, recipe_of
    from train.run import Inputs, run, summary
    from train.staff import load_staff
    from train.team import ALONE, gather
    from train.tuned import Beginning, begin, begin_cnn
    from train.vgg19 import default_size

    team = gather(args.model, args.recipe) if args.all_devices else ALONE
    precision = args.mixed_precision or "float32"
    recipe = recipe_of(args.recipe, args.model, on_gpu())
    size = default_size(args.model, args.recipe, on_gpu()) if args.size is None else args.size
    shape = Config(args.model, recipe, args.seed, size, {}).shape  # refuses what cannot be, before anything is loaded
    _refuse(args)
    digests: dict[str, str] = {}
    paths = None
    if recipe.mixture:
        paths = find_paths(find_data(args.data), args.photos, args.products)
        digests |= digests_of(paths)
    elif args.photos or args.products:
        raise RunError("--photos and --products are for the recipe live.")
    data = load_fashion_mnist(args.data, args.seed)
    beginning = Beginning()
    if args.model == "vgg19":
        with team.scope(), computing_in(precision):
            beginning = begin(size, args.seed, args.backbone_weights, args.start_from)
    elif args.start_from:
        beginning = begin_cnn(args.model, recipe, args.seed, args.start_from)
    recipe = beginning.shortened(recipe)
    if args.quantization_aware:
        recipe = quantization_aware(recipe)
    if args.learning_rate is not None:
        recipe = dataclasses.replace(recipe, learning_rate=args.learning_rate)
    staff = load_staff(args.teacher, recipe, shape, args.seed, precision=precision, team=team)
    recipe = staff.recipe(recipe, beforehand=not on_gpu() and team.devices == 1)
    digests |= elsewhere(beginning.name, beginning.learned, digests)
    if began_elsewhere(digests, beginning.name):
        print(ELSEWHERE.format(beginning.name, UNPACKED), file=sys.stderr)
    digests |= data.digests | beginning.digests | {f"teacher {name}": digest for name, digest in staff.digests}
    config = Config(args.model, recipe, args.seed, size, digests, staff.names, precision, beginning.name)
    run_dir = Path(args.out or f"runs/{config.name}")
    if not computes_in(precision):
        print(
            f"no fast instructions for {precision} were found here, and without them training takes many times as "
            "long: stop it now and leave --mixed-precision out, unless you know better"
        )
    print(f"{config.name}: {size}x{size} pixels, on {device_name(team.devices)}, into {run_dir}/", flush=True)
    inputs = Inputs(
        data, beginning.base, beginning.head, paths, staff.networks, team, staff.answering, beginning.network
    )
    if args.start_from and args.start_from.resolve() == run_dir.resolve():
        raise RunError(f"{run_dir} is what it is to start from. Name another --out.")
    if result := run(config, inputs, run_dir):
        print(summary(result, run_dir))
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
