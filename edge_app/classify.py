"""The command `classify`: names the garments in picture files."""

import json
import os
import stat
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge_app.classifier import Classifier
from edge_app.decide import UNSURE
from edge_app.errors import ImageError
from edge_app.images import SUFFIXES, decode_file, is_picture, reading
from edge_app.labels import NONE
from edge_app.models import default_model


def classify_paths(paths: Iterable[Path], model: str | None, as_json: bool) -> int:
    """Prints an answer for every picture, as soon as it is there; returns how many could not be read.

    With `as_json` one object per line: `path`, `model`, `label`, `confidence`, `probs`, `none`, `latency_ms` (from the
    decoded picture to the decision); `path` and `error` for a picture that cannot be read. Without it answers go to
    stdout and errors to stderr. Raises what `Classifier.load` raises.
    """
    classifier = Classifier.load(model or default_model())
    failures = 0
    for path in paths:
        for picture in pictures(path):
            try:
                answer = _classify_file(classifier, picture)
            except ImageError as error:
                failures += 1
                answer = {"path": str(picture), "error": str(error)}
            if as_json:
                print(json.dumps(answer), flush=True)
            elif "error" in answer:
                print(f"error: {answer['error']}", file=sys.stderr, flush=True)
            else:
                print(f"{answer['path']}: {in_words(answer)}", flush=True)
    return failures


def in_words(answer: dict[str, Any]) -> str:
    """The label, and how likely it is; of one that is unsure, what is likeliest."""
    if answer["label"] == NONE:
        return f"{NONE} ({answer['none']:.0%})"
    if answer["label"] == UNSURE:
        likeliest = max((label for label in answer["probs"] if label != NONE), key=answer["probs"].__getitem__)
        return f"{UNSURE} ({likeliest} {answer['confidence']:.0%})"
    return f"{answer['label']} ({answer['confidence']:.0%})"


def pictures(path: Path) -> list[Path]:
    """A file, whatever its name; or all pictures in a folder and in those below it or linked from there, by name.

    What cannot be listed is among them (a folder without permission, a file), and so is a folder without any: there
    is then something to report.
    """
    unlisted: list[OSError] = []
    found: list[Path] = []
    seen: set[str] = set()
    above = Path(os.path.realpath(path)).parents  # of a link to itself, too, which resolve() refuses
    waiting = [path]
    while waiting:
        for folder, below, names in os.walk(waiting.pop(), onerror=unlisted.append):
            real = os.path.realpath(folder)
            if real in seen or Path(real) in above:  # by a link, which may lead back, or out
                below.clear()
                continue
            seen.add(real)
            found += [Path(folder, name) for name in names if is_picture(Path(name))]
            waiting += [Path(folder, name) for name in below if Path(folder, name).is_symlink()]
    return sorted([*found, *(Path(error.filename) for error in unlisted)]) or [path]


def _classify_file(classifier: Classifier, path: Path) -> dict[str, Any]:
    """Raises ImageError if the picture cannot be read."""
    with reading(path):
        if stat.S_ISDIR(path.stat().st_mode):
            os.scandir(path).close()
            raise ImageError(f"{path}: no pictures in this folder ({', '.join(SUFFIXES)}); name another")
    frame_rgb = decode_file(path)
    started = time.perf_counter()
    decision = classifier.classify(frame_rgb)
    latency_ms = 1e3 * (time.perf_counter() - started)
    return {
        "path": str(path),
        "model": classifier.contract.name,
        "label": decision.label,
        "confidence": decision.confidence,
        "probs": decision.probs,
        "none": decision.none,
        "latency_ms": round(latency_ms, 3),
    }
