"""Command line: ``python -m converters RUN``."""

import argparse
import os
import sys
from pathlib import Path

from edge_app.errors import ConversionError, EdgeAppError
from edge_app.models import assets_dir
from train.paths import add_own_pictures
from train.quiet import INTERRUPTED, leave, load_backend

SHIPPED = "int8"


def parse(argv: list[str]) -> argparse.Namespace:
    """The arguments, checked by argparse."""
    parser = argparse.ArgumentParser(
        prog="python -m converters",
        description="Converts a trained run to .tflite, compares it with the trained network, measures it through the "
        "app's own classifier and installs it with its contract and card. Converting a run for the app also keeps a "
        "CNN's weights in assets/checkpoints.",
        epilog="python -m converters benchmark RUN... --peers: the same network in every mode and runtime, timed.",
    )
    parser.add_argument("run", metavar="RUN", help="a run's folder, or assets/checkpoints/NAME.weights.h5")
    parser.add_argument("--mode", choices=("int8", "dynamic", "float16", "float32", "all"), default=SHIPPED)
    parser.add_argument("--out", metavar="DIR", help="where to (int8: assets/models, others: runs/converted)")
    parser.add_argument("--data", metavar="DIR", help="folder holding fashion-mnist/ ($EDGE_APP_DATA, else a download)")
    add_own_pictures(parser)
    parser.add_argument("--debug", action="store_true", help="also print the error of each layer alone")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Runs the conversions, or the benchmark; returns the exit status: 0 done, 2 a clear error."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")  # newer GPUs' short float32: parity is asked to five digits
    try:
        if argv[:1] == ["benchmark"]:
            load_backend()
            from converters.benchmark import main as benchmark

            return benchmark(argv[1:])
        args = parse(argv)
        load_backend()
        return run(args)
    except (EdgeAppError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what was installed before is still there", file=sys.stderr)
        return INTERRUPTED


def run(args: argparse.Namespace) -> int:
    """Converts one run in the modes asked for, and says how they do."""
    from converters.checkpoint import keep_checkpoint
    from converters.convert import convert
    from converters.data import load_data, require_same_pictures
    from converters.measure import TEST, VAL
    from converters.quantize import MODES
    from train.eight_bits import is_converted
    from train.models import CNNS
    from train.paths import own_collections
    from train.source import load_chain

    if is_converted(Path(args.run)):
        raise ConversionError(f"{args.run} is converted already. Name the run or the checkpoint that it came of.")
    source = load_chain(Path(args.run))
    own = own_collections(source.config.data)
    if own and not args.photos + args.products:
        print(
            f"{args.run} has learned from {', '.join(own)}, too: name what is yours with --photos or --products, or 8 "
            "bits and thresholds will be fitted on the published pictures alone.",
            file=sys.stderr,
        )
    data = load_data(args.data, source.config, args.photos, args.products)
    require_same_pictures(source, data)
    modes = list(MODES) if args.mode == "all" else [args.mode]
    default_out = assets_dir() / "models" if modes == [SHIPPED] else Path("runs/converted")
    out_dir = Path(args.out) if args.out else default_out
    out_dir.mkdir(parents=True, exist_ok=True)  # better refused now than after the conversion
    is_shipped = out_dir.resolve() == (assets_dir() / "models").resolve()
    trained = source.result["test"]["accuracy"]
    for measured in convert(source, modes, data, out_dir, args.debug):
        contract, parity, kept = measured.contract, measured.parity, measured.kept
        print(
            f"{contract.name}: {measured.size_bytes / 1e6:.2f} MB, test accuracy {contract.accuracy[TEST]:.2%} "
            f"(Keras float32 {trained:.2%}), validation {contract.accuracy[VAL]:.2%}, labels equal to Keras's "
            f"{parity.agreement:.2%} of {parity.count}, mean error {parity.mean_error:.2g} and maximum "
            f"{parity.max_error:.2g} standard deviations; of {kept.count} validation pictures of its own kind "
            f"{kept.agreement:.2%} equal, {kept.accuracy:.2%} right (Keras float32 {kept.float32_accuracy:.2%}); "
            f"temperature {contract.temperature}, threshold {contract.threshold} -> "
            f"{out_dir / contract.name}.tflite"
        )
        for layer in measured.layers:
            print(f"  {layer.name:20} {layer.error:.2g}")
        if source.is_run and is_shipped and contract.quantization == SHIPPED and source.config.model in CNNS:
            print(f"weights kept: {keep_checkpoint(source, assets_dir() / 'checkpoints')}")
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
