"""The command line: the page or, without one, the camera's reports; `classify`, `bench` and `models`.

What a command needs is imported when it runs: `classify` starts without Gradio.
"""

import argparse
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO, TypeVar

from edge_app.errors import EdgeAppError
from edge_app.runtime import INSISTED, RUNTIMES

FAILED = 1  # some of the pictures could not be read
REFUSED = 2  # nothing could be done; argparse's own status for wrong arguments
INTERRUPTED, UNHEARD = 130, 141  # 128 + SIGINT and 128 + SIGPIPE, as shells say it

Number = TypeVar("Number", int, float)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command, by default that of `sys.argv`; returns the exit status."""
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()  # None if closed from the start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name may have letters that the terminal has not
            stream.reconfigure(errors="backslashreplace")
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.command is not None:
        _refuse_page_options(parser, options)
    try:
        status = _run(options)
        sys.stdout.flush()
        return status
    except EdgeAppError as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the answers has read enough, as `head` does
        _discard_output()
        return UNHEARD
    except OSError as error:  # a full disk
        print(f"error: {error}", file=sys.stderr)
        _discard_output()
        return REFUSED


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _path(text: str) -> Path:
    if not text:  # an unset variable; Path would take it for the present folder
        raise argparse.ArgumentTypeError("an empty name; name a picture, or a folder of pictures")
    return Path(text)


def _named(text: str) -> str:
    if not text:  # an unset variable
        raise argparse.ArgumentTypeError("an empty name; leave the option out for the usual one")
    return text


def _discard_output() -> None:
    """What is still to be written to stdout goes nowhere: Python would fail to write it once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def build_parser() -> argparse.ArgumentParser:
    """Without a command the options are the page's."""
    parser = argparse.ArgumentParser(
        prog="python -m edge_app",
        description="Names a garment held up to a camera. Without a command: serves the page.",
    )
    parser.add_argument(
        "--camera",
        type=_named,
        help="browser, auto, N, picamera, picamera:locked, FILE, FOLDER or URL (browser; auto without a page)",
    )
    parser.add_argument(
        "--model", type=_named, help="a model's name, see the command models (cnn4, or the best there is)"
    )
    parser.add_argument("--runtime", choices=RUNTIMES, help="the only TFLite runtime to use (the first that works)")
    parser.add_argument("--host", type=_named, default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=_number(int, 1, 65535), default=7860, help="port to listen on (7860)")
    parser.add_argument(
        "--share", action="store_true", help="also make a public link, for a week at most, behind a password"
    )
    parser.add_argument("--share-camera", action="store_true", help="show --camera's pictures over that link too")
    parser.add_argument("--https", action="store_true", help="serve by https: other machines' cameras can be used")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask for this name and password")
    parser.add_argument(
        "--max-fps", type=_number(float, 0.1, 240), metavar="N", help="at most so many answers a second"
    )
    parser.add_argument("--no-page", action="store_true", help="print a line of JSON for each change of the answer")
    parser.add_argument(
        "--mqtt", metavar="URL", help="publish each change to a broker: mqtt://user:password@host:1883/topic"
    )

    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    classify = commands.add_parser("classify", help="name the garments in picture files")
    classify.add_argument("paths", nargs="+", type=_path, metavar="PATH", help="a picture, or a folder of pictures")
    bench = commands.add_parser("bench", help="time each stage of a frame's way")
    bench.add_argument(
        "--threads", type=_number(int, 1, 64), metavar="N", help="threads of the runtime (half of the cores)"
    )
    bench.add_argument("--frames", "-n", type=_number(int, 1, 1_000_000), metavar="N", help="frames to time (200)")
    bench.add_argument("--warm-up", type=_number(int, 0, 1_000_000), default=20, metavar="N", help="frames before (20)")
    models = commands.add_parser("models", help="list the models (*: the one that is used if none is named)")
    for command in (classify, bench):  # SUPPRESS: a model named before the command stays
        command.add_argument(
            "--model", type=_named, default=argparse.SUPPRESS, help="a name, see the command models, or a .tflite file"
        )
        command.add_argument("--runtime", choices=RUNTIMES, default=argparse.SUPPRESS, help="the only runtime to use")
    for command in (classify, bench, models):
        command.add_argument("--json", action="store_true", help="machine-readable")
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.runtime:
        os.environ[INSISTED] = options.runtime
    if options.command == "classify":
        from edge_app.classify import classify_paths

        return FAILED if classify_paths(options.paths, options.model, options.json) else 0
    if options.command == "bench":
        from edge_app.bench import bench

        bench(options.model, options.threads, options.frames, options.warm_up, options.json)
        return 0
    if options.command == "models":
        list_models(options.json)
        return 0
    with _terminated_as_interrupted():
        return _watch_camera(options) if options.no_page else _serve(options)


def _watch_camera(options: argparse.Namespace) -> int:
    _refuse_page_only(options)
    from edge_app.headless import watch_camera

    return watch_camera(
        camera=options.camera or "auto", model=options.model, max_fps=options.max_fps, mqtt=options.mqtt
    )


def _serve(options: argparse.Namespace) -> int:
    from edge_app.page.app import serve

    return serve(
        camera=options.camera or "browser",
        model=options.model,
        host=options.host,
        port=options.port,
        share=options.share,
        share_camera=options.share_camera,
        https=options.https,
        auth=options.auth,
        max_fps=options.max_fps,
        mqtt=options.mqtt,
    )


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, as service managers send it, ends as Ctrl-C does: cameras are closed, goodbyes said."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def list_models(as_json: bool) -> None:
    """Prints the installed models: a line each, or an array of their contracts."""
    from edge_app.models import contracts, default_model

    installed = contracts()
    if as_json:
        print(json.dumps([contract.to_json() for contract in installed], indent=2))
        return
    default = default_model()
    for contract in installed:
        shape = "x".join(str(length) for length in contract.input.shape)
        accuracy = ", ".join(f"{name} {share:.1%}" for name, share in contract.accuracy.items())
        mark = "*" if contract.name == default else " "
        print(f"{mark} {contract.name:20} {shape:9} {contract.quantization:8} {accuracy}")


def _refuse_page_only(options: argparse.Namespace) -> None:
    """What only a page can do."""
    defaults = vars(build_parser().parse_args([]))
    for name in ("host", "port", "share", "share_camera", "https", "auth"):
        if getattr(options, name) != defaults[name]:
            raise EdgeAppError(f"--{name.replace('_', '-')} is an option of the page; leave it or --no-page out")


def _refuse_page_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """An option of the page before a command would do nothing: better to say so."""
    for name, default in vars(parser.parse_args([])).items():
        if name not in ("command", "model", "runtime") and getattr(options, name) != default:
            parser.error(f"--{name.replace('_', '-')} is an option of the page, not of {options.command}")
    if options.command == "models" and options.model:
        parser.error("--model is no option of models, which lists all")


def _number(kind: Callable[[str], Number], low: Number, high: Number) -> Callable[[str], Number]:
    """A number of an option, `low` to `high`."""

    def number(text: str) -> Number:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text}: expected {low} to {high}")
        return value

    return number
