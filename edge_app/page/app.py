"""Builds the page and serves it."""

import contextlib
import io
import os
import socket
import time
from collections.abc import Callable
from importlib import resources

import gradio as gr

from edge_app.cameras.opening import open_camera
from edge_app.contract import Contract
from edge_app.errors import EdgeAppError, ModelNotFound
from edge_app.models import contract_path, contracts, default_model
from edge_app.page.frames import Desk, Reply
from edge_app.page.view import facts, limits, nameable, summary
from edge_app.page.watch import Watch
from edge_app.pipeline import Classifiers

TITLE = "Edge Fashion"
# Fonts every system has, so that none is fetched.
FONTS = ("Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO_FONTS = ("Consolas", "Menlo", "Liberation Mono", "monospace")
POLL_S = 0.5
# The page's script, in this order: one function in the end.
SCRIPTS = ("elements", "show", "choices", "guide", "camera", "run")


def serve(
    *,
    camera: str,
    model: str | None,
    host: str,
    port: int,
    share: bool,
    auth: str | None,
    max_fps: float | None,
) -> int:
    """Serves the page until Ctrl-C; returns the exit status.

    `camera` is `browser` or what `open_camera` takes; `auth` is USER:PASSWORD. Raises CameraError, ModelNotFound,
    ContractError or RuntimeMissing before anything is served.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # nothing is to leave this machine
    credentials = read_auth(auth)
    min_interval_s = 1 / max_fps if max_fps else 0.0
    classifiers = Classifiers()
    watch = None
    if camera != "browser":
        open_camera(camera).close()  # a wrong path is better told now than on the page
        watch = Watch(lambda: open_camera(camera), classifiers, min_interval_s)
    page = build_page(model, classifiers, watch, min_interval_s)
    try:
        return _launch(page, host, port, share, credentials)
    finally:
        page.close(verbose=False)
        if watch is not None:
            watch.close()


def build_page(model: str | None, classifiers: Classifiers, watch: Watch | None, min_interval_s: float) -> gr.Blocks:
    """The page, with `model` chosen (None: the app's choice); its classifier is loaded.

    Raises ModelNotFound, ContractError or RuntimeMissing.
    """
    installed = contracts()
    chosen = model or default_model()
    if chosen not in [contract.name for contract in installed]:
        raise ModelNotFound(f"no model {chosen!r}. Installed: {', '.join(contract.name for contract in installed)}.")
    classifiers.get(chosen)
    desk = Desk([contract.name for contract in installed], classifiers, watch)
    page = gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True)
    with page:
        gr.HTML(
            html_template=_text("page.html"),
            css_template=_text("page.css"),
            js_on_load="".join(_text(f"script/{name}.js") for name in SCRIPTS),
            apply_default_css=False,
            server_functions=server_functions(desk),
            models=[offer(contract, chosen) for contract in installed],
            settings={"device": watch is not None, "minIntervalMs": 1e3 * min_interval_s},
        )
    return page


def offer(contract: Contract, chosen: str) -> dict[str, object]:
    """What the page's template and script know of a model."""
    size_bytes = contract_path(contract.name).with_suffix(".tflite").stat().st_size
    return {
        "name": contract.name,
        "chosen": contract.name == chosen,
        "threshold": contract.threshold,
        "summary": summary(contract, size_bytes),
        "facts": facts(contract),
        "nameable": nameable(contract),
        "limits": limits(contract),
    }


def server_functions(desk: Desk) -> list[Callable[[object], Reply]]:
    """The desk's questions as functions: Gradio marks what it may call, and a bound method takes no mark."""

    def classify_frame(message: object) -> Reply:
        return desk.classify_frame(message)

    def watch_camera(message: object) -> Reply:
        return desk.watch_camera(message)

    def model_speeds(_: object) -> Reply:
        return desk.model_speeds()

    return [classify_frame, watch_camera, model_speeds]


def read_auth(auth: str | None) -> tuple[str, str] | None:
    """USER:PASSWORD -> (user, password). Raises EdgeAppError without naming what was given."""
    if auth is None:
        return None
    user, colon, password = auth.partition(":")
    if not (user and colon and password):
        raise EdgeAppError("--auth: expected USER:PASSWORD, both of at least one character")
    return user, password


def _launch(page: gr.Blocks, host: str, port: int, share: bool, credentials: tuple[str, str] | None) -> int:
    if share:
        print(
            f"Asking for a share link, up to a minute. The page opens at http://{in_url(host)}:{port}/ meanwhile.",
            flush=True,
        )
    try:
        # Gradio would print a dozen lines of its own about a share link.
        with contextlib.redirect_stdout(io.StringIO()):
            page.launch(
                server_name=in_url(host),
                server_port=port,
                share=share,
                auth=credentials,
                theme=gr.themes.Base(font=FONTS, font_mono=MONO_FONTS),
                footer_links=[],
                run_history=False,
                enable_monitoring=False,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                quiet=True,
                prevent_thread_lock=True,
            )
    except OSError as error:
        raise EdgeAppError(
            f"{in_url(host)}:{port} cannot be used: another program has the port, or the address is not this "
            "machine's. Choose another with --port or --host."
        ) from error
    if share and page.share_url:
        print(f"Shared for a week at most, with whoever has the link: {page.share_url}")
    elif share:
        print("No share link could be had: Gradio's tunnel cannot be reached from here. The page goes on without.")
    if host == "0.0.0.0":
        print(f"From another machine: http://{own_address()}:{port}/")
    try:
        print(f"{TITLE}: {page.local_url}  (Ctrl-C ends it)", flush=True)
        while page.is_running:
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        print("Bye.")
    return 0


def in_url(host: str) -> str:
    """A host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def own_address() -> str:
    """This machine's address in its network, or its name if it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # UDP: picks the way and sends nothing. RFC 5737: nobody's address
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _text(name: str) -> str:
    return resources.files("edge_app.page").joinpath(name).read_text(encoding="utf-8")
