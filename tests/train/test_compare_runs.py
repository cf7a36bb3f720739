"""Runs side by side: what differs, what is best, and a page that needs nothing else."""

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from edge_app.errors import RunError
from train.compare import main
from train.compare_runs import (
    by_class,
    class_f1,
    class_shares,
    compare_runs,
    differing,
    facts,
    notes,
    page_name,
    read_run,
)
from train.recipes import ANSWERING, TEACHING, Config, article, flat, live
from train.run import CONFIG, RESULT

ARTICLE = Config("cnn1", article("cnn1"), 1, 28, {"made.gz": "0" * 32})
LIVE = Config("cnn4", live("cnn4", False), 1, 28, {"made.gz": "f" * 32}, ("cnn1-live",))
ROWS = [
    {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 0.9, "val_accuracy": 0.6, "seconds": 30},
    {"epoch": 2, "loss": 0.5, "accuracy": 0.7, "val_loss": 0.6, "val_accuracy": 0.75, "seconds": 60},
    {"epoch": 3, "loss": 0.4, "accuracy": 0.8, "val_loss": 0.7, "val_accuracy": 0.74, "seconds": 60},
]


def result(accuracy: float, f1: tuple[float, float]) -> dict[str, Any]:
    classes = [{"label": label, "f1": value, "count": 5} for label, value in zip(("Coat", "Bag"), f1, strict=True)]
    classes.append({"label": "none", "f1": 0.0, "count": 0})
    return {
        "test": {"accuracy": accuracy, "loss": 0.25, "classes": classes},
        "parameters": 1234,
        "device": "cpu",
        "val_accuracy": 0.75,
        "training_s": 150.0,
        "versions": {"numpy": "2.0"},
    }


def write_run(path: Path, config: Config, found: dict[str, Any] | None) -> Path:
    path.mkdir()
    (path / CONFIG).write_text(json.dumps(config.to_json()))
    with (path / "history.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    if found is not None:
        (path / RESULT).write_text(json.dumps(found))
    return path


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    photos = {"photos": {"right": 0.625, "classes": {"Coat": 0.5, "Bag": 0.75}}}
    return [
        write_run(tmp_path / "a", ARTICLE, result(0.9, (0.8, 0.9))),
        write_run(tmp_path / "b", LIVE, result(0.85, (0.85, 0.9)) | {"pictures": photos}),
        write_run(tmp_path / "c", dataclasses.replace(ARTICLE, seed=2), None),
    ]


def test_settings_by_their_names() -> None:
    assert flat({"a": {"b": 1, "c": None}, "d": [], "e": {}}) == {"a.b": "1", "a.c": "none", "d": "none", "e": "none"}


def test_only_what_differs_is_shown(runs: list[Path]) -> None:
    first, second, third = (read_run(path) for path in runs)
    assert differing([first, first]) == []
    assert differing([first, dataclasses.replace(third, result=first.result)]) == [("seed", "1", "2")]
    found = {name: values for name, *values in differing([first, second])}
    assert found["model"] == ["cnn1", "cnn4"]
    assert found["data.made.gz"] == ["00000000", "ffffffff"]
    assert found["mixture.fashion"] == ["-", "36000"]
    assert found["teachers"] == ["none", "cnn1-live"]
    assert "seed" not in found and "mixture" not in found


def test_figures_by_hand(runs: list[Path]) -> None:
    found = {name: values for name, *values in facts([read_run(path) for path in runs])}
    assert found["test accuracy"] == ["90.00%", "85.00%", "-"]
    assert found["validation accuracy"] == ["75.00%"] * 3
    assert found["in epoch"] == ["2 of 3"] * 3
    assert found["photos, validation"] == ["-", "62.5%", "-"]
    assert found["training time, minutes"] == ["2.5"] * 3


def test_classes_and_the_best_of_each(runs: list[Path]) -> None:
    three = [read_run(path) for path in runs]
    assert class_f1(three) == [("Coat", [0.8, 0.85, None]), ("Bag", [0.9, 0.9, None])]
    assert class_shares(three, "photos") == [("Bag", [None, 0.75, None]), ("Coat", [None, 0.5, None])]
    table = by_class(three, class_f1(three), ".3f")
    assert '<td>Coat</td><td>0.800</td><td class="best">0.850</td><td>-</td>' in table
    assert '<td>Bag</td><td class="best">0.900</td><td class="best">0.900</td>' in table


def test_what_not_to_compare_is_said(runs: list[Path]) -> None:
    first, second, third = (read_run(path) for path in runs)
    assert notes([first, first]) == []
    assert [note.split(",")[0] for note in notes([first, third])] == ["Seeds differ"]
    assert [note.split(":")[0] for note in notes([first, second])] == [
        "Validation pictures are each recipe's own",
        "Teachers and smoothed labels are part of the loss in training",
    ]
    recipe = dataclasses.replace(ARTICLE.recipe, teaching=TEACHING)
    taught = dataclasses.replace(first, config=dataclasses.replace(ARTICLE, recipe=recipe))
    assert len(notes([first, taught])) == 1
    assert notes([taught, taught]) == []
    answered = dataclasses.replace(recipe, teaching=ANSWERING)  # not counted in validation
    asked_before = dataclasses.replace(first, config=dataclasses.replace(ARTICLE, recipe=answered))
    assert [note.split(" are")[0] for note in notes([asked_before, asked_before])] == ["Teachers and smoothed labels"]
    others = [
        dataclasses.replace(second, config=dataclasses.replace(second.config, data={"photos.zip": digest}))
        for digest in ("1", "2")
    ]
    assert [note.split(",")[0] for note in notes(others)] == ["They have learned from other photos or products"]
    assert notes([others[0], others[0]]) == []


def test_one_page_with_everything_in_it(runs: list[Path], tmp_path: Path) -> None:
    page = compare_runs([*runs, runs[0]], tmp_path / "compare")
    assert page.name == "a (1)+b+c+a (4).html"
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 1 and '<meta name="viewport"' in text
    assert "http" not in text and "<script" not in text and "<link" not in text
    assert "<h1>a (1), b, c and a (4)</h1>" in text and "<td>90.00%</td>" in text
    assert list((tmp_path / "compare").iterdir()) == [page]


def test_many_runs_have_a_page_of_their_own() -> None:
    names = tuple(f"run-{number:02d}" for number in range(20))
    assert page_name(names[:2]) == "run-00+run-01"
    assert len(page_name(names)) == 120
    assert page_name(names).startswith("run-00+run-01+")
    assert page_name(names) != page_name((*names[:-1], "another"))
    assert len(page_name(("模型" * 40, "训练" * 39)).encode()) <= 120


def test_what_is_no_run_is_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nowhere.*Name the folder of a run"):
        compare_runs([tmp_path / "nowhere"], tmp_path)
    with pytest.raises(RunError, match="Name two runs or more"):
        main([str(runs[0])])
    with pytest.raises(RunError, match="Name the folder of a run"):
        compare_runs([runs[0], tmp_path], tmp_path)
    (runs[1] / RESULT).write_text("{}")
    with pytest.raises(RunError, match="lacks device, parameters, test"):
        compare_runs(runs, tmp_path)
    (runs[0] / "history.csv").write_text("epoch,loss\n")
    with pytest.raises(RunError, match=r"a: not a run with a whole epoch \(no epoch in history\.csv\)"):
        compare_runs(runs, tmp_path)
    (runs[0] / "history.csv").write_text("epoch,loss\n1,0.5\n")
    with pytest.raises(RunError, match=r"history\.csv lacks accuracy, seconds, val_accuracy, val_loss"):
        compare_runs(runs, tmp_path)
    (runs[0] / "config.json").write_text("{}")
    with pytest.raises(RunError, match=r"a/config\.json: not the configuration of a run"):
        compare_runs(runs, tmp_path)
