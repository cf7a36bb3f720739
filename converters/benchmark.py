"""The same network in every mode and runtime: ``python -m converters benchmark RUN... --peers``."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from converters.benchmark_report import plot, tables
from converters.card import card
from converters.convert import exports, prepared
from converters.data import (
    Data,
    calibration_pixels,
    load_data,
    parity_pixels,
    require_same_pictures,
    validation_pictures,
)
from converters.fold import fold_batch_norms
from converters.install import install, json_bytes
from converters.peers import ONNX, export_onnx
from converters.quantize import MODES, quantize
from edge_app.bench import machine
from edge_app.contract import sha256
from edge_app.errors import ConversionError
from edge_app.models import CARD, assets_dir
from train.documents import with_block
from train.eight_bits import is_converted
from train.models import flattened
from train.paths import add_own_pictures
from train.source import Source, input_spec, load_chain

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "benchmark.json"
RESULTS = ROOT / "docs" / "results.md"
PICTURE = ROOT / "docs" / "images" / "benchmark.png"
COMMAND = "python -m converters benchmark"
THREADS = (1, 2)
PICTURES = 30
CHILD_TIMEOUT_S = 1800


def multiply_accumulates(network: keras.Model) -> int:
    """Multiplications of one inference, in convolutions and dense layers."""
    weighted = [layer for layer in flattened(network) if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]
    return sum(int(np.prod(layer.output.shape[1:-1]) * np.prod(layer.kernel.shape)) for layer in weighted)


def measure(run: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One run's figures, by the command's ``args``: a name, sizes, for each number of threads the engines' times."""
    source = load_chain(run)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = load_data(args.data, source.config, args.photos, args.products)
        require_same_pictures(source, data)
        plain = write_files(source, data, folder, lacking(run, folder), args.peers)
        found = {str(threads): in_a_child(folder, run, threads, args.peers) for threads in THREADS}
        return {
            "name": source.name,
            "parameters": source.result["parameters"],
            "multiply_accumulates": multiply_accumulates(plain),
            "sha256": sha256(folder / "int8.tflite"),
            "bytes": {mode: (folder / f"{mode}.tflite").stat().st_size for mode in MODES},
            "threads": {threads: child["engines"] for threads, child in found.items()},
            "missing": found[str(THREADS[0])]["missing"],
            "versions": found[str(THREADS[0])]["versions"],
        }


def lacking(run: Path, folder: Path) -> tuple[str, ...]:
    """The modes that have to be made: all of a run or checkpoint; of a converted model, which is int8 and copied into
    ``folder``, the others."""
    if not is_converted(run):
        return MODES
    shutil.copyfile(run, folder / "int8.tflite")
    return tuple(mode for mode in MODES if mode != "int8")


def write_files(source: Source, data: Data, folder: Path, modes: tuple[str, ...], with_peers: bool) -> keras.Model:
    """The network in these modes, as ONNX where that can be had, and validation pictures; returns what was exported."""
    spec = input_spec(source)
    pictures = validation_pictures(data, spec) if source.is_live else {}
    np.save(folder / "pictures.npy", parity_pixels(data, pictures, spec, source.is_live)[:PICTURES])
    calibration = calibration_pixels(data, spec, source.is_live, source.config.seed)
    for mode, float32_model in exports(prepared(source.network, calibration), modes, calibration).items():
        (folder / f"{mode}.tflite").write_bytes(quantize(float32_model, mode, calibration))
    plain = fold_batch_norms(source.network)
    if with_peers:
        try:
            export_onnx(plain, folder / ONNX)
        except ImportError as error:
            print(f"no ONNX file: {error}", file=sys.stderr)
    return plain


def in_a_child(folder: Path, run: Path, threads: int, with_peers: bool) -> dict[str, Any]:
    """What ``converters.race`` prints. Raises ConversionError with its complaint if it fails or takes too long."""
    command = [sys.executable, "-m", "converters.race", str(folder), str(run), str(threads), "peers" * with_peers]
    on_cpu = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}  # as what they are compared with
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_TIMEOUT_S, check=False, env=on_cpu)
    except subprocess.TimeoutExpired as error:
        raise ConversionError(
            f"the benchmark with {threads} threads was not done after {CHILD_TIMEOUT_S} s. Free the machine of other "
            "work, or measure fewer engines, without --peers."
        ) from error
    if done.returncode:
        raise ConversionError(f"the benchmark with {threads} threads failed: {done.stderr.strip()[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def add_speeds(report: dict[str, Any]) -> None:
    """Puts the int8 times into the cards of those installed models that are the very files that were timed."""
    for model in report["models"]:
        path = assets_dir() / "models" / f"{model['name']}{CARD}"
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        if known is None or known["contract"]["sha256"] != model["sha256"]:
            print(f"{path.name}: not the model that was timed; its card stays without these times", file=sys.stderr)
            continue
        known["speeds"] = [
            {"threads": int(threads), "conditions": report["conditions"], **engines["LiteRT int8"]}
            for threads, engines in model["threads"].items()
        ]
        install({path: json_bytes(known), path.with_name(f"{model['name']}.md"): card(known).encode()})


def conditions(versions: dict[str, str], load: float) -> str:
    """Machine, what else it had to do (the load average before), and versions, one line."""
    packages = ", ".join(f"{package} {number}" for package, number in sorted(versions.items()))
    return (
        f"{machine()}, {os.cpu_count()} cores, load average before {load:.1f}, {platform.system()}; "
        f"Python {platform.python_version()}, {packages}"
    )


def main(argv: list[str]) -> int:
    """Measures, and writes docs/benchmark.json and from it the tables, the picture and the cards' speeds."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="a run's folder, a kept checkpoint, or vgg19.tflite"
    )
    parser.add_argument("--peers", action="store_true", help="also ONNX Runtime, OpenVINO, TensorFlow and Keras")
    parser.add_argument("--data", metavar="DIR", help="folder holding fashion-mnist/ ($EDGE_APP_DATA, else a download)")
    add_own_pictures(parser)
    args = parser.parse_args(argv)
    load = os.getloadavg()[0]
    models = []
    for run in args.runs:
        models.append(measure(run, args))
        print(tables({"models": models[-1:], "conditions": ""}), flush=True)
        print("\n".join(models[-1]["missing"]), file=sys.stderr)
    versions = {package: number for model in models for package, number in model["versions"].items()}
    report = {"conditions": conditions(versions, load), "models": models}
    page = with_block(RESULTS.read_text(encoding="utf-8"), COMMAND, tables(report))
    install({REPORT: json_bytes(report), RESULTS: page.encode()})
    plot(report, PICTURE)
    add_speeds(report)
    return 0
