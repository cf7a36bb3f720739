"""Runs side by side on one page of HTML that can be sent around: ``python -m train compare RUN RUN ...``."""

import csv
import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from edge_app.errors import RunError
from train.comparison_plots import plot_runs
from train.keeper import HISTORY
from train.paths import collection_names
from train.recipes import Config, flat
from train.report import picture, table, write_page
from train.run import RESULT, read_config
from train.state import Row

ABSENT = "-"
LONGEST_NAME = 120  # bytes of a page's file name; file systems take no more than 255
NEEDED = {"test", "parameters", "device", "val_accuracy", "training_s"}  # of a result
FIGURES = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"}  # of an epoch
Cells = list[tuple[str, ...]]


@dataclass(frozen=True)
class Run:
    """A run's name, configuration and history so far, and its result, or None while it is not finished."""

    name: str
    config: Config
    history: list[Row]
    result: dict[str, Any] | None


def read_run(run_dir: Path) -> Run:
    """Reads a run's folder, finished or not. Raises RunError if it has no whole epoch, or cannot be read."""
    config = read_config(run_dir)
    try:
        with (run_dir / HISTORY).open(newline="", encoding="utf-8") as file:
            history = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        path = run_dir / RESULT
        result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        if not history:
            raise ValueError(f"no epoch in {HISTORY}")
        if missing := FIGURES - set(history[0]):
            raise ValueError(f"{HISTORY} lacks {', '.join(sorted(missing))}")
        if result is not None:
            result = {"pictures": {}} | result  # the first runs had none
            if missing := NEEDED - set(result):
                raise ValueError(f"{RESULT} lacks {', '.join(sorted(missing))}")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise RunError(f"{run_dir}: not a run with a whole epoch ({error}). Train it, or leave it out.") from error
    return Run(run_dir.resolve().name, config, history, result)


def named_apart(runs: list[Run]) -> list[Run]:
    """The runs with a number behind a name that another has, too."""
    names = [run.name for run in runs]
    return [
        run if names.count(run.name) == 1 else Run(f"{run.name} ({index})", run.config, run.history, run.result)
        for index, run in enumerate(runs, start=1)
    ]


def differing(runs: list[Run]) -> Cells:
    """A row for each setting, or version of a package, that is not the same in all runs: its name and their values."""
    settings = [flat(run.config.to_json()) | flat((run.result or {}).get("versions", {}), "versions") for run in runs]
    names = list(dict.fromkeys(name for found in settings for name in found))
    names = [name for name in names if not any(other.startswith(f"{name}.") for other in names)]  # none beside a group
    rows = [(name, *(found.get(name, ABSENT) for found in settings)) for name in names]
    return [
        (name.removeprefix("recipe.").replace("_", " ") if name != "recipe.name" else "recipe", *map(_short, values))
        for name, *values in rows
        if len(set(values)) > 1
    ]


def _short(value: str) -> str:
    """Digests by their first eight letters."""
    return value[:8] if len(value) >= 32 and set(value) <= set("0123456789abcdef") else value


def facts(runs: list[Run]) -> Cells:
    """A row for each figure: its name and each run's value."""

    def of(figure: Callable[[dict[str, Any]], str]) -> list[str]:
        return [figure(run.result) if run.result else ABSENT for run in runs]

    def best(run: Run) -> Row:
        return max(run.history, key=lambda row: row["val_accuracy"])

    rows: Cells = [
        ("test accuracy", *of(lambda result: f"{result['test']['accuracy']:.2%}")),
        ("test loss", *of(lambda result: f"{result['test']['loss']:.4f}")),
        ("validation accuracy", *(f"{(run.result or best(run))['val_accuracy']:.2%}" for run in runs)),
        ("in epoch", *(f"{best(run)['epoch']:.0f} of {len(run.history)}" for run in runs)),
        *((f"{name}, validation", *(_share(run, name) for run in runs)) for name in _collections(runs)),
        ("parameters", *of(lambda result: f"{result['parameters']:,}")),
        ("training time, minutes", *(f"{_training_s(run) / 60:.1f}" for run in runs)),
        ("device", *of(lambda result: str(result["device"]))),
    ]
    return rows


def _training_s(run: Run) -> float:
    return float(run.result["training_s"]) if run.result else sum(row["seconds"] for row in run.history)


def notes(runs: list[Run]) -> list[str]:
    """What should not be compared between these runs."""
    recipes = [run.config.recipe for run in runs]
    found = []
    if len({recipe.mixture is None for recipe in recipes}) > 1:
        found.append("Validation pictures are each recipe's own: compare figures of the test images.")
    if len({frozenset(digests_of_collections(run)) for run in runs if run.config.recipe.mixture}) > 1:
        found.append(
            "They have learned from other photos or products, and are validated by others: compare figures of "
            "the test images, or convert them with the same pictures."
        )
    if len({run.config.seed for run in runs}) > 1:
        found.append("Seeds differ, and with them which images are for validation: compare figures of the test images.")
    have_answers = any(recipe.teaching and recipe.teaching.views for recipe in recipes)  # in training only
    if have_answers or len({(recipe.teaching, recipe.label_smoothing) for recipe in recipes}) > 1:
        found.append("Teachers and smoothed labels are part of the loss in training: compare accuracies.")
    return found


def digests_of_collections(run: Run) -> set[str]:
    """Of the pictures that it has learned from, and is validated by."""
    return {run.config.data[name] for name in collection_names(run.config.data)}


def _collections(runs: list[Run]) -> list[str]:
    return list(dict.fromkeys(name for run in runs if run.result for name in run.result["pictures"]))


def _share(run: Run, name: str) -> str:
    found = run.result["pictures"].get(name) if run.result else None
    return f"{found['right']:.1%}" if found else ABSENT


def class_f1(runs: list[Run]) -> list[tuple[str, list[float | None]]]:
    """F1 on the test images by class: the class, and each run's; None for a run without it."""
    found = [{r["label"]: r["f1"] for r in run.result["test"]["classes"]} if run.result else {} for run in runs]
    counts = {r["label"]: r["count"] for run in runs if run.result for r in run.result["test"]["classes"]}
    return [(label, [by.get(label) for by in found]) for label, count in counts.items() if count]


def class_shares(runs: list[Run], name: str) -> list[tuple[str, list[float | None]]]:
    """The same for the share right of a collection's validation pictures."""
    found = [run.result["pictures"].get(name, {"classes": {}})["classes"] if run.result else {} for run in runs]
    labels = sorted({label for by in found for label in by})
    return [(label, [by.get(label) for by in found]) for label in labels]


def by_class(runs: list[Run], rows: list[tuple[str, list[float | None]]], style: str) -> str:
    """A table of classes with the best of each row marked."""
    cells = [(label, *(ABSENT if v is None else format(v, style) for v in values)) for label, values in rows]
    strong = {
        (y, x)
        for y, line in enumerate(cells)
        for x, cell in enumerate(line)
        if x and cell != ABSENT and cell == max((c for c in line[1:] if c != ABSENT), key=lambda c: float(c.strip("%")))
    }
    return table(("class", *(run.name for run in runs)), cells, strong)


def compare_runs(paths: list[Path], folder: Path) -> Path:
    """Writes the page into ``folder`` and returns its path. Raises RunError for what is no run, or for one alone."""
    if len(paths) < 2:
        raise RunError(f"{read_run(paths[0]).name}: one run alone has its own report.html. Name two runs or more.")
    runs = named_apart([read_run(path) for path in paths])
    names = tuple(run.name for run in runs)
    title = f"{', '.join(names[:-1])} and {names[-1]}"
    with tempfile.TemporaryDirectory() as made:
        plot = Path(made) / "curves.png"
        plot_runs([(run.name, run.history) for run in runs], plot)
        curves = picture(plot, "Accuracy and loss of each run against epochs")
    differences = differing(runs)
    sections = [
        f"<h1>{escape(title)}</h1>",
        table(("", *names), facts(runs)),
        *(f"<p>{escape(note)}</p>" for note in notes(runs)),
        f"<h2>Training</h2>{curves}",
        "<h2>Settings that differ</h2>",
        table(("setting", *names), differences) if differences else "<p>None.</p>",
        "<h2>F1 of each class, test images</h2>",
        by_class(runs, class_f1(runs), ".3f"),
    ]
    for name in _collections(runs):
        sections += [
            f"<h2>{escape(name)}, validation: right in each class</h2>",
            by_class(runs, class_shares(runs, name), ".1%"),
        ]
    path = folder / f"{page_name(names)}.html"
    write_page(path, title, sections)
    return path


def page_name(names: tuple[str, ...]) -> str:
    """A page's file name for these runs, of at most 120 bytes; others have another one."""
    joined = "+".join(names)
    content = joined.encode()
    if len(content) <= LONGEST_NAME:
        return joined
    return f"{content[: LONGEST_NAME - 9].decode(errors='ignore')}-{hashlib.sha256(content).hexdigest()[:8]}"
