"""One page of HTML about a run that can be sent around: everything is in the one file."""

import base64
from html import escape
from pathlib import Path
from typing import Any

from train.files import write_atomically
from train.recipes import Config

REPORT = "report.html"
STYLE = """
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1d1f1e }
img { max-width: 100% }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #dcdad4; text-align: right }
th:first-child, td:first-child { text-align: left }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem }
dt { color: #5c625f }
dd { margin: 0 }
.wide { overflow-x: auto }
.best { font-weight: 600 }
"""


def write_report(run_dir: Path, config: Config, result: dict[str, Any], pictures: dict[str, Path]) -> None:
    """``run_dir``/report.html: how the run was made, its figures, and ``pictures`` (heading -> PNG) in their order."""
    test = result["test"]
    sections = [
        f"<h1>{escape(result['name'])}</h1>",
        f"<p>{test['accuracy']:.2%} of the Fashion-MNIST test images right, loss {test['loss']:.4f}; "
        f"weights of epoch {result['best_epoch']}, which ended with {result['val_accuracy']:.2%} of the validation "
        "pictures right, the most.</p>",
        _facts(config, result),
        *(f"<h2>{escape(heading)}</h2>{picture(path, heading)}" for heading, path in pictures.items()),
        "<h2>Each class, test images</h2>",
        table(
            ("class", "precision", "recall", "F1", "images"),
            [
                (r["label"], f"{r['precision']:.3f}", f"{r['recall']:.3f}", f"{r['f1']:.3f}", str(r["count"]))
                for r in test["classes"]
            ],
        ),
    ]
    for name, found in result["pictures"].items():
        sections += [
            f"<h2>{escape(name)}, validation</h2>",
            f"<p>{found['right']:.1%} right, {found['balanced']:.1%} in the mean over classes; "
            f"AUROC of P(none) {'-' if found['auroc'] is None else format(found['auroc'], '.3f')}.</p>",
            table(
                ("class", "right", "pictures"),
                [(label, f"{share:.1%}", str(found["counts"][label])) for label, share in found["classes"].items()],
            ),
        ]
    write_page(run_dir / REPORT, result["name"], sections)


def write_page(path: Path, title: str, sections: list[str]) -> None:
    """A page of HTML from its sections, which are HTML."""
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style>{''.join(sections)}</html>\n"
    )
    write_atomically(path, lambda part: part.write_text(page, encoding="utf-8"))


def _facts(config: Config, result: dict[str, Any]) -> str:
    recipe = config.recipe
    facts = {
        "network": f"{config.model}, {result['parameters']:,} parameters, input {' x '.join(map(str, config.shape))}",
        "recipe": f"{recipe.name}, seed {config.seed}",
        "epochs": f"{recipe.epochs} plain, {recipe.augmented_epochs} augmented, {recipe.final_epochs} at last with "
        f"Fashion-MNIST as it is, batches of {recipe.batch_size}",
        **({} if recipe.dropout_epochs is None else {"epochs with dropout": f"{recipe.dropout_epochs}"}),
        "Adam's first rate": f"{recipe.learning_rate:g}, falling to 0",
        **({"started from": f"{config.start}, trained before"} if config.start else {}),
        **({"batch normalizations": "while it learned; now in its weights"} if recipe.normalized else {}),
        "precision": config.precision,
        "teachers": ", ".join(config.teachers) or "none",
        "time": f"{result['training_s'] / 60:.1f} minutes on {result['device']}",
        "versions": ", ".join(f"{name} {version}" for name, version in result["versions"].items()),
    }
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items()) + "</dl>"


def picture(path: Path, description: str) -> str:
    """A PNG inside the page."""
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{escape(description)}" src="data:image/png;base64,{content}">'


def table(head: tuple[str, ...], rows: list[tuple[str, ...]], strong: set[tuple[int, int]] | None = None) -> str:
    """A table of plain text; the cells (row, column) of ``strong`` stand out."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = [
        "".join(
            f'<td class="best">{escape(cell)}</td>' if strong and (y, x) in strong else f"<td>{escape(cell)}</td>"
            for x, cell in enumerate(row)
        )
        for y, row in enumerate(rows)
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table><tr>{cells}</tr>{body}</table></div>'
