"""The command `bench`: how long a frame takes, stage by stage."""

import importlib.metadata
import io
import itertools
import json
import os
import platform
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edge_app.classifier import Classifier
from edge_app.decide import decide, probabilities
from edge_app.images import decode_bytes
from edge_app.models import default_model
from edge_app.preprocess import frame_to_input

UInt8 = npt.NDArray[np.uint8]

STAGES = ("decode", "preprocess", "invoke", "decide", "total")
FRAMES = 200
WARM_UP_FRAMES = 20
MAX_SECONDS = 20.0  # a slow device stops here
FEWEST = 20  # with so many timed


def bench(model: str | None, threads: int | None, frames: int | None, warm_up: int, as_json: bool) -> None:
    """Times the frame path on a 320x240 JPEG and prints n, p50, p95 and p99 of each stage, in milliseconds.

    With ``frames`` so many are timed, else FRAMES, or fewer where they take longer than MAX_SECONDS.

    The conditions go before the table; with `as_json` to stderr, and stdout is one object of the stages. Raises what
    `Classifier.load` raises.
    """
    classifier = Classifier.load(model or default_model(), threads)
    print(
        f"{conditions(classifier)}; warm-up: {warm_up} frames", file=sys.stderr if as_json else sys.stdout, flush=True
    )
    summary = summarize(time_frames(classifier, picture_jpeg(), frames, warm_up))
    if as_json:
        print(json.dumps(summary))
        return
    print(f"{'stage':12}{'n':>6}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}")
    for stage, row in summary.items():
        print(f"{stage:12}{row['n']:6}{row['p50']:10.2f}{row['p95']:10.2f}{row['p99']:10.2f}")
    print(f"\nA row for the table in docs/raspberry-pi.md:\n{table_row(classifier, summary)}")


def time_frames(
    classifier: Classifier, jpeg: bytes, frames: int | None = None, warm_up: int = WARM_UP_FRAMES
) -> npt.NDArray[np.float64]:
    """The same frame again and again, after a warm-up: milliseconds, float64 (n, 5), a column for each of STAGES.

    n is ``frames``; without, FRAMES, or fewer where they take longer than MAX_SECONDS.
    """
    for _ in range(warm_up):
        _time_frame(classifier, jpeg)
    rows: list[list[float]] = []
    deadline = time.perf_counter() + (MAX_SECONDS if frames is None else float("inf"))
    while len(rows) < (frames or FRAMES) and (len(rows) < FEWEST or time.perf_counter() < deadline):
        rows.append(_time_frame(classifier, jpeg))
    return np.array(rows)


def _time_frame(classifier: Classifier, jpeg: bytes) -> list[float]:
    contract = classifier.contract
    moments_s = [time.perf_counter()]
    frame_rgb = decode_bytes(jpeg)
    moments_s.append(time.perf_counter())
    pixels = frame_to_input(frame_rgb, contract.input)
    moments_s.append(time.perf_counter())
    logits = classifier.logits(pixels[np.newaxis])[0]
    moments_s.append(time.perf_counter())
    decide(probabilities(logits, contract.temperature), contract)
    moments_s.append(time.perf_counter())
    stages_ms = [1e3 * (end - start) for start, end in itertools.pairwise(moments_s)]
    return [*stages_ms, 1e3 * (moments_s[-1] - moments_s[0])]


def summarize(times_ms: npt.NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Milliseconds (n, 5) -> for each of STAGES its n, p50, p95 and p99."""
    summary: dict[str, dict[str, float]] = {}
    for stage, column_ms in zip(STAGES, times_ms.T, strict=True):
        p50, p95, p99 = (round(float(p), 4) for p in np.percentile(column_ms, (50, 95, 99)))
        summary[stage] = {"n": len(column_ms), "p50": p50, "p95": p95, "p99": p99}
    return summary


def table_row(classifier: Classifier, summary: dict[str, dict[str, float]]) -> str:
    """Machine, model, threads, p50 and p95 of the model and of a whole frame in ms, and versions: a Markdown row."""
    contract = classifier.contract
    times_ms = [f"{summary[stage]['p50']:.2f} / {summary[stage]['p95']:.2f}" for stage in ("invoke", "total")]
    runtime = f"{classifier.runtime} {importlib.metadata.version(classifier.runtime)}"
    versions = f"Python {platform.python_version()}, {runtime}"
    model = f"{contract.name} {contract.quantization}"
    return f"| {' | '.join([machine(), model, str(classifier.threads), *times_ms, versions])} |"


def picture_jpeg() -> bytes:
    """A JPEG of 320x240: a dark T-shirt before a light wall, with a camera's noise; the same every time."""
    frame_rgb = np.empty((240, 320, 3), np.uint8)
    frame_rgb[:] = np.linspace(150, 210, 320).astype(np.uint8)[np.newaxis, :, np.newaxis]
    shirt = [(110, 50), (145, 40), (175, 40), (210, 50), (245, 95), (220, 115), (202, 95), (202, 205), (118, 205)]
    outline = np.array([*shirt, (118, 95), (100, 115), (75, 95)], np.int32)
    cv2.fillPoly(frame_rgb, [outline], (40, 60, 120))
    noise = np.random.default_rng(0).normal(0, 4, frame_rgb.shape)
    noisy = (frame_rgb + noise).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=80)
    return file.getvalue()


def conditions(classifier: Classifier) -> str:
    """Model, threads, machine and versions, in two lines."""
    contract = classifier.contract
    packages = (classifier.runtime, "numpy", "pillow")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    return (
        f"{contract.name} ({contract.quantization}), threads: {classifier.threads}, 320x240 JPEG\n"
        f"{machine()}, {os.cpu_count()} cores, {platform.system()}; "
        f"Python {platform.python_version()}, {versions}, OpenCV {cv2.__version__}"
    )


def machine() -> str:
    """The board's or the processor's name where Linux tells it, else the architecture."""
    board = Path("/proc/device-tree/model")
    if board.is_file():
        return board.read_text(errors="replace").strip("\0 \n")
    processors = Path("/proc/cpuinfo")
    if processors.is_file():
        for line in processors.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
