"""Runs the commands of docs/tutorial.md and compares what they print: `scripts/check-tutorial [--update]`."""

import argparse
import contextlib
import doctest
import functools
import importlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from tutorial_figures import ROOT
from tutorial_page import PAGE, UPDATE, Block, blocks, line_of, problems, updated

from edge_app.cli import build_parser
from edge_app.models import assets_dir
from train.data import DATA_VARIABLE
from train.files import write_atomically

MAINS = {"edge_app": "edge_app.cli", "train": "train.__main__", "converters": "converters.__main__"}
NEEDS_DATA, STOPPED, NEARLY = "needs data", "stopped after an epoch", "percentages within 3"
POINTS = 3  # by which another processor's int8 may differ in a percentage
DRAWN = re.compile(r"^<!-- drawn: (.+?) -->\n!\[[^]]*\]\(([^)]+)\)$", re.MULTILINE)
DRAWN_ALIKE = 4.0  # mean difference of pixels, 0..255: another version of a font, not another picture
EPOCH_TIMEOUT_S = 600


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder to run in, with the assets where a checkout has them."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "assets").symlink_to(assets_dir())
        yield Path(name)


def arguments_of(command: str) -> tuple[str, list[str]] | None:
    """Of `python -m PACKAGE ARGUMENT...`: package and arguments. None for another command."""
    words = shlex.split(command)
    return (words[2], words[3:]) if words[:2] == ["python", "-m"] and words[2] in MAINS else None


def printed(command: str, folder: Path) -> list[str]:
    """What a command of this project prints to stdout, run in ``folder``, and its status if that is not 0."""
    found = arguments_of(command)
    if found is None:
        return [f"(not a command of this project: {command})"]
    package, arguments = found
    out = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        try:
            status = importlib.import_module(MAINS[package]).main(arguments)
        except SystemExit as error:  # argparse
            status = error.code
    return [*out.getvalue().splitlines(), *([f"(exit status {status})"] if status else [])]


def printed_until_an_epoch(command: str, folder: Path) -> list[str]:
    """The same for a training that gets Ctrl-C after its first epoch, with its last word."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, *shlex.split(command)[1:]]
    with (folder / "stderr").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
        )
        lines: list[str] = []
        deadline = time.monotonic() + EPOCH_TIMEOUT_S
        for line in process.stdout or ():
            lines.append(line.rstrip("\n"))
            if line.startswith("epoch") or time.monotonic() > deadline:
                process.send_signal(signal.SIGINT)
                break
        more, _ = process.communicate(timeout=60)
        errors.seek(0)
        last = errors.read().splitlines()[-1:]
    return [*lines, *more.splitlines(), "^C", *last]


def differs(expected: list[str], found: list[str], nearly: bool) -> bool:
    """Whether what is printed is not what is expected; ``nearly``: whole percentages may differ by POINTS."""
    parts = [r"(?:.*\n)*?" if line == "..." else _pattern(line, nearly) + r"\n" for line in expected]
    match = re.fullmatch("".join(parts), "".join(f"{line}\n" for line in found))
    if match is None:
        return True
    wanted = [float(number) for line in expected if line != "..." for number in _percentages(line, nearly)]
    return any(abs(float(number) - want) > POINTS for number, want in zip(match.groups(), wanted, strict=True))


def _percentages(line: str, nearly: bool) -> list[str]:
    return re.findall(r"(\d+)%", line) if nearly else []


def _pattern(line: str, nearly: bool) -> str:
    pattern = re.escape(line).replace(re.escape("..."), ".*")
    return re.sub(r"\d+%", r"(\\d+)%", pattern) if nearly else pattern


def refusal(command: str) -> str | None:
    """Why a command that is not run could not be: unknown options, as its own parser sees it. None if it could."""
    found = arguments_of(command)
    if found is None:
        words = shlex.split(command)
        return None if words[0] == "pip" or (ROOT / words[0]).is_file() else f"there is no {words[0]}"
    package, arguments = found
    module = importlib.import_module(MAINS[package])
    if package == "train" and arguments[0] in module.COMMANDS:
        known = " ".join(printed(f"python -m train {arguments[0]} --help", ROOT))
        unknown = [word for word in arguments if word.startswith("--") and f"{word} " not in known]
        return f"unrecognized arguments: {' '.join(unknown)}" if unknown else None
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            (build_parser().parse_args if package == "edge_app" else module.parse)(arguments)
    except SystemExit:
        return errors.getvalue().strip().splitlines()[-1]
    return None


def failures(block: Block, folder: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    """Runs a block: (line, what is expected, what came instead) for each step that fails."""
    if block.language == "python":
        test = doctest.DocTestParser().get_doctest(block.text, {}, PAGE.name, PAGE.name, block.line + 1)
        report = io.StringIO()
        doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test, out=report.write)
        if report.getvalue():
            yield block.line, [], report.getvalue().splitlines()
    for line, command, expected in block.steps:
        if block.how == "not run":
            if (words := refusal(command)) is not None:
                yield line, [], [words]
            continue
        run = printed_until_an_epoch if STOPPED in block.options else printed
        found = run(command, folder)
        if differs(expected, found, NEARLY in block.options):
            yield line, expected, found


def report(line: int, expected: list[str], found: list[str]) -> str:
    """A step that failed, for people."""
    words = f"{PAGE.name}, line {line}: what is printed has changed; {UPDATE}, or change it by hand. Expected:"
    return "\n  ".join([words, *expected, "found:", *found])


def drawn_otherwise(page: str, folder: Path) -> Iterator[tuple[int, Path, Path]]:
    """Pictures of the page that are not those that its commands have drawn in ``folder``: (line, kept, drawn)."""
    for match in DRAWN.finditer(page):
        paths = PAGE.parent / match[2], folder / match[1]
        if not all(path.is_file() for path in paths):
            yield line_of(page, match.start()), *paths
            continue
        kept, drawn = (Image.open(path).convert("RGB") for path in paths)
        difference = np.asarray(kept, np.float32) - np.asarray(drawn.resize(kept.size), np.float32)
        if np.abs(difference).mean() > DRAWN_ALIKE:
            yield line_of(page, match.start()), *paths


def with_printed(page: str, changed: list[tuple[int, list[str], list[str]]]) -> str:
    """The page with what its commands print now, except where "..." stands for a part: that is changed by hand."""
    lines = page.splitlines()
    for line, expected, found in sorted(changed, reverse=True):
        if expected and "..." not in " ".join(expected):
            lines[line : line + len(expected)] = found
    return "\n".join(lines) + "\n"


def run_all(page: str, folder: Path) -> list[tuple[int, list[str], list[str]]]:
    """Runs every block, with data only where there is some, and says how long each took; returns what failed."""
    failed: list[tuple[int, list[str], list[str]]] = []
    for block in blocks(page):
        name = block.steps[0][1] if block.steps else f"lines of {block.language}"
        if NEEDS_DATA in block.options and not os.environ.get(DATA_VARIABLE):
            print(f"not run, {DATA_VARIABLE} is not set: {name}", flush=True)
            continue
        began = time.monotonic()
        failed += failures(block, folder)
        print(f"{time.monotonic() - began:5.0f} s  {block.how}: {name}", flush=True)
    return failed


def main(argv: list[str]) -> int:
    """Checks everything, also what takes long; returns the exit status, 1 if something has drifted."""
    parser = argparse.ArgumentParser(prog="scripts/check-tutorial", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write figures, tables, what is printed and drawn anew")
    args = parser.parse_args(argv)
    page = PAGE.read_text(encoding="utf-8")
    if args.update:
        page = updated(page)
    with scratch() as folder:
        failed = run_all(page, folder)
        drawn = list(drawn_otherwise(page, folder))
        if args.update:
            for _, kept, made in drawn:
                shutil.copyfile(made, kept)
            drawn, page = [], with_printed(page, failed)
            failed = [one for one in failed if not one[1] or "..." in " ".join(one[1])]
            write_atomically(PAGE, functools.partial(Path.write_text, data=page, encoding="utf-8"))
    found = [
        *problems(page),
        *(report(*one) for one in failed),
        *(f"{PAGE.name}, line {line}: {kept.name} is not what is drawn now; {UPDATE}" for line, kept, _ in drawn),
    ]
    print("\n".join(found) or f"{PAGE.name} is true")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
