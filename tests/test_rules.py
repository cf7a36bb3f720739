"""The design's rules that a program can check."""

import ast
import importlib
import pkgutil
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import edge_app
from edge_app.errors import EdgeAppError
from edge_app.page.build import SCRIPTS, STYLES

ROOT = Path(__file__).parents[1]
PACKAGES = ("edge_app", "train", "converters")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Top-level names of everything a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def test_the_pages_files_are_short_and_all_served() -> None:
    page = ROOT / "edge_app" / "page"
    scripts, styles = sorted(page.glob("script/*.js")), sorted(page.glob("style/*.css"))
    assert sorted(path.stem for path in scripts) == sorted(SCRIPTS)
    assert sorted(path.stem for path in styles) == sorted(STYLES)
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in scripts + styles}
    assert {name: length for name, length in lengths.items() if length > 200} == {}


def test_files_and_functions_are_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES + TESTS}
    assert statistics.median(lengths[path] for path in SOURCES) < 200
    assert {str(path) for path, length in lengths.items() if length > 350} == set()
    functions = [
        (f"{path}:{node.lineno}", (node.end_lineno or 0) - node.lineno + 1)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [place for place, length in functions if length > 60] == []


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("edge_app", {"tensorflow", "keras", "train", "converters"}),
        ("train", {"converters", "tensorflow"}),
        ("converters", {"tensorflow"}),
    ],
)
def test_imports_point_one_way(package: str, forbidden: set[str]) -> None:
    found = {(str(path), name) for path in (ROOT / package).rglob("*.py") for name in imported(path)}
    under_tensorflow_alone = {(str(ROOT / "train" / name), "tensorflow") for name in ("batch_norm.py", "team.py")}
    assert {pair for pair in found if pair[1] in forbidden} <= under_tensorflow_alone


def test_gradio_stays_in_the_page_and_the_runtime_in_its_module() -> None:
    users = {path.relative_to(ROOT).as_posix() for path in SOURCES if "gradio" in set(imported(path))}
    assert users
    assert all(user.startswith("edge_app/page/") for user in users)
    text = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "edge_app").rglob("*.py")}
    assert [name for name, content in text.items() if "ai_edge_litert.interpreter" in content] == ["runtime.py"]


def test_catching_everything_happens_at_most_once_on_the_device() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "edge_app").rglob("*.py")]
    assert sum(len(re.findall(r"except (?:Base)?Exception\b|except:", text)) for text in texts) <= 1


def below(error: type[EdgeAppError], depth: int = 0) -> Iterator[tuple[int, str]]:
    """The errors of the device's package that stand below this one, with their depth."""
    for kind in error.__subclasses__():
        if kind.__module__.startswith("edge_app."):
            yield depth, kind.__name__
            yield from below(kind, depth + 1)


def test_every_error_is_in_the_drawn_tree() -> None:
    for module in pkgutil.walk_packages(edge_app.__path__, "edge_app."):
        importlib.import_module(module.name)
    drawn = re.findall(r"^    ([│ ]*)[├└]── (\w+)", edge_app.errors.__doc__ or "", re.MULTILINE)
    assert sorted((len(indent) // 4, name) for indent, name in drawn) == sorted(below(EdgeAppError))


def test_importing_the_package_is_light() -> None:
    code = "import sys, edge_app; print(sorted({'gradio', 'cv2', 'tensorflow', 'keras'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_large_files_are_models_only() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    large = [name for name in listed.stdout.split("\0") if name and (ROOT / name).stat().st_size > 1_000_000]
    assert all(name.startswith(("assets/models/", "assets/checkpoints/")) for name in large)
