"""Builds the page: its files, what they know of the models, and what they may ask the server."""

import base64
import logging
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import cv2

from edge_app.contract import Contract
from edge_app.errors import ModelNotFound
from edge_app.images import decode_file
from edge_app.labels import NONE
from edge_app.models import assets_dir, contract_path, contracts, default_model
from edge_app.page.frames import Desk, Reply
from edge_app.page.quick import gradio as gr
from edge_app.page.teach import School
from edge_app.page.view import facts, limits, nameable, summary
from edge_app.pipeline import Classifiers
from edge_app.watch import Watch

TITLE = "Edge Fashion"
# Fonts every system has, so that none is fetched.
FONTS = ("Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO_FONTS = ("Consolas", "Menlo", "Liberation Mono", "monospace")
# The page's style and script, in this order; the script is one function in the end.
STYLES = ("base", "picture", "answer", "choices", "teach", "explore", "small", "large")
SCRIPTS = (
    "elements",
    "show",
    "choices",
    "guide",
    "camera",
    "ask",
    "run",
    "pause",
    "files",
    "zip",
    "snapshots",
    "teach",
    "explore",
)
WEBP_QUALITY = 80


def build_page(
    model: str | None, classifiers: Classifiers, watch: Watch | None, max_fps: float | None, may_teach: bool
) -> tuple[gr.Blocks, Desk]:
    """The page, with `model` chosen (None: the app's choice), and who answers it; the model's classifier is loaded.

    `may_teach`: whether those who use it may teach names.

    Another model whose file is missing is not offered; the log says so. Raises ModelNotFound, ContractError or
    RuntimeMissing.
    """
    installed = contracts()
    chosen = model or default_model()
    if chosen not in [contract.name for contract in installed]:
        there_are = ", ".join(contract.name for contract in installed)
        raise ModelNotFound(f"no model {chosen!r} for the page, which shows what is installed: {there_are}.")
    classifiers.get(chosen)
    offered = [contract for contract in installed if _has_file(contract)]
    names = [contract.name for contract in offered]
    desk = Desk(names, classifiers, watch, max_fps)
    school = School(names, classifiers, may_teach)
    labels = labels_of(offered)
    settings = {"device": watch is not None, "minIntervalMs": 1e3 / max_fps if max_fps else 0, "labels": labels}
    page = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True)
    with page:
        gr.HTML(
            html_template=_text("page.html"),
            css_template="".join(_text(f"style/{name}.css") for name in STYLES),
            js_on_load="".join(_text(f"script/{name}.js") for name in SCRIPTS),
            apply_default_css=False,
            server_functions=server_functions(desk, school),
            models=[offer(contract, chosen) for contract in offered],
            examples=examples(),
            settings=settings,
        )
    return page, desk


def labels_of(offered: Sequence[Contract]) -> list[str]:
    """What snapshots may be called: all labels of the models that are offered, each once, and none last of all."""
    labels = dict.fromkeys(label for contract in offered for label in contract.labels if label != NONE)
    return [*labels, NONE]


def offer(contract: Contract, chosen: str) -> dict[str, object]:
    """What the page's template and script know of a model."""
    size_bytes = _model_file(contract).stat().st_size
    return {
        "name": contract.name,
        "chosen": contract.name == chosen,
        "threshold": contract.threshold,
        "summary": summary(contract, size_bytes),
        "facts": facts(contract),
        "nameable": nameable(contract),
        "limits": limits(contract),
        "knowsNothing": NONE in contract.labels,
    }


def _has_file(contract: Contract) -> bool:
    """Whether a model can be offered; the log says why not."""
    path = _model_file(contract)
    if path.is_file():
        return True
    words = "%s: not found beside its contract, so this model is not offered. Install it again."
    logging.getLogger(__name__).warning(words, path)
    return False


def _model_file(contract: Contract) -> Path:
    return contract_path(contract.name).with_suffix(".tflite")


def examples() -> list[dict[str, str]]:
    """The drawings that ship with the project: their names, and what a browser shows, the picture itself in a URL."""
    return [
        {"name": path.stem.replace("-", " "), "src": _as_webp(path)}
        for path in sorted((assets_dir() / "examples").glob("*.png"))
    ]


def _as_webp(path: Path) -> str:
    """A picture file as a data URL; WebP is an eighth of the drawings' PNG."""
    bgr = cv2.cvtColor(decode_file(path), cv2.COLOR_RGB2BGR)
    _, webp = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    return "data:image/webp;base64," + base64.b64encode(webp.tobytes()).decode("ascii")


def server_functions(desk: Desk, school: School) -> list[Callable[[object], Reply]]:
    """What may be asked, as functions: Gradio marks what it may call, and a bound method takes no mark."""

    def classify_frame(message: object) -> Reply:
        return desk.classify_frame(message)

    def watch_camera(message: object) -> Reply:
        return desk.watch_camera(message)

    def model_speeds(_: object) -> Reply:
        return desk.model_speeds()

    def known_garments(message: object) -> Reply:
        return desk.known_garments(message)

    def taught(message: object) -> Reply:
        return school.taught(message)

    def teach(message: object) -> Reply:
        return school.teach(message)

    def forget(message: object) -> Reply:
        return school.forget(message)

    return [classify_frame, watch_camera, model_speeds, known_garments, taught, teach, forget]


def _text(name: str) -> str:
    return resources.files("edge_app.page").joinpath(name).read_text(encoding="utf-8")
