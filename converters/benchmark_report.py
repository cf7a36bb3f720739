"""The benchmark's tables and picture, made from its JSON."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from converters.card import paragraph
from train.compare import table
from train.files import write_atomically

OURS = "LiteRT"
WHO = (OURS, "others")
OUR_COLOURS, OTHER_COLOURS = ("#f4a582", "#ca5010"), ("#c6c6c6", "#8c8c8c")  # by number of threads


def best(engines: dict[str, Any], ours: bool) -> tuple[str, float]:
    """The fastest mode of LiteRT, or the fastest of the others: name and median in microseconds."""
    return min(
        ((name, row["p50_us"]) for name, row in engines.items() if name.startswith(OURS) == ours),
        key=lambda pair: pair[1],
    )


def tables(report: dict[str, Any]) -> str:
    """What docs/results.md shows: a table a model, and the conditions."""
    parts = [part for model in report["models"] for part in model_parts(model)]
    return "\n\n".join([*parts, *([paragraph(f"{report['conditions']}.")] if report["conditions"] else [])])


def model_parts(model: dict[str, Any]) -> list[str]:
    """A model's table, one row an engine, the fastest first, and a line on the best of each side."""
    counts = sorted(model["threads"], key=int)
    fastest = {count: best(model["threads"][count], True)[1] for count in counts}
    names = sorted(model["threads"][counts[-1]], key=lambda name: model["threads"][counts[-1]][name]["p50_us"])
    rows = []
    for name in names:
        cells: list[str] = []
        for count in counts:
            row = model["threads"][count][name]
            cells += [duration(row["p50_us"]), duration(row["p95_us"]), three_figures(row["p50_us"] / fastest[count])]
        rows.append((name, *cells))
    columns = [f"{what}, {threads_of(count)}" for count in counts for what in ("median", "p95", "ratio")]
    about = (
        f"**{model['name']}**: {model['multiply_accumulates'] / 1e6:,.1f} million multiply-accumulates a picture, "
        f"{model['parameters']:,} parameters; "
        + ", ".join(f"{mode} {size / 1e6:.2f} MB" for mode, size in model["bytes"].items())
        + "."
    )
    return [paragraph(about), table(("one picture", *columns), rows), *(comparison(model, count) for count in counts)]


def comparison(model: dict[str, Any], count: str) -> str:
    """The best mode of LiteRT against the fastest of the others, in one sentence; empty without others."""
    engines = model["threads"][count]
    if all(name.startswith(OURS) for name in engines):
        return ""
    (ours, ours_us), (other, other_us) = best(engines, True), best(engines, False)
    return f"With {threads_of(count)}, {ours} takes {ours_us / other_us:.2f} of the time of {other}."


def threads_of(count: str) -> str:
    """``1 thread``, ``2 threads``."""
    return f"{count} thread" + "s" * (count != "1")


def duration(microseconds: float) -> str:
    """With three figures: ``84.2 us``, ``1.23 ms``."""
    value, unit = (microseconds / 1000, "ms") if microseconds >= 1000 else (microseconds, "us")
    return f"{three_figures(value)} {unit}"


def three_figures(value: float) -> str:
    """``1.23``, ``12.3``, ``123``, ``1234``."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def plot(report: dict[str, Any], path: Path) -> None:
    """Medians as bars on a logarithmic axis, a panel for each model; lines reach to the 95th percentile."""
    models = report["models"]
    figure, axes = plt.subplots(1, len(models), figsize=(8 * len(models), 4.8), layout="constrained", squeeze=False)
    for axis, model in zip(axes[0], models, strict=True):
        draw(axis, model)
    write_atomically(path, lambda part: figure.savefig(part, dpi=110))
    plt.close(figure)


def draw(axis: Any, model: dict[str, Any]) -> None:
    """One model's panel, the fastest engine on top."""
    counts = sorted(model["threads"], key=int)
    last = model["threads"][counts[-1]]
    names = sorted(last, key=lambda name: -last[name]["p50_us"])
    height = 0.8 / len(counts)
    for place, count in enumerate(counts):
        rows = [model["threads"][count][name] for name in names]
        middles = [index + ((len(counts) - 1) / 2 - place) * height for index in range(len(names))]
        colours = [(OUR_COLOURS if name.startswith(OURS) else OTHER_COLOURS)[place] for name in names]
        axis.barh(middles, [row["p50_us"] / 1000 for row in rows], height, color=colours)
        for middle, row in zip(middles, rows, strict=True):
            axis.plot([row["p50_us"] / 1000, row["p95_us"] / 1000], [middle, middle], color="#777777", linewidth=1)
            axis.annotate(
                duration(row["p50_us"]),
                (max(row["p50_us"], row["p95_us"]) / 1000, middle),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
    shades = zip(counts, OUR_COLOURS, OTHER_COLOURS, strict=False)
    handles = [
        Patch(color=c, label=f"{who}, {threads_of(n)}") for n, *two in shades for who, c in zip(WHO, two, strict=True)
    ]
    axis.legend(handles=handles, loc="upper right", fontsize=8)
    axis.set_yticks(range(len(names)), names)
    axis.set(xscale="log", xlabel="milliseconds for one picture: median, and a line to the 95th percentile")
    axis.set_xlim(right=axis.get_xlim()[1] * 6)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_title(model["name"])
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
