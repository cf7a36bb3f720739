"""Serves the page."""

import contextlib
import ipaddress
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable

from starlette.middleware import Middleware

from edge_app import systemd
from edge_app.cameras.device import without_password
from edge_app.cameras.opening import open_camera
from edge_app.errors import CameraError, EdgeAppError
from edge_app.models import default_model
from edge_app.mqtt import publishing
from edge_app.page.build import FONTS, MONO_FONTS, TITLE, build_page
from edge_app.page.gate import Gate, Rules
from edge_app.page.health import health, is_well
from edge_app.page.https import Certificate, own_certificate, own_names
from edge_app.page.quick import gradio as gr
from edge_app.page.quick import straight
from edge_app.page.share import share_link
from edge_app.pipeline import Classifiers, Wish
from edge_app.reports import Ears, Report, Seen, following, try_camera
from edge_app.watch import Watch

POLL_S = 0.5
AGAIN = 75  # the exit status of who is to be started again, whether a unit does so always or on failure (EX_TEMPFAIL)
CAMERA_EVERY_S = 30.0  # a service that found none looks for one again
SESSIONS = 64  # that Gradio remembers, under names that visitors give; this page keeps nothing in them
PASSWORD_BYTES = 24  # of the password that a share link gets: 32 letters
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def serve(
    *,
    camera: str,
    model: str | None,
    host: str,
    port: int,
    share: bool,
    share_camera: bool,
    https: bool,
    auth: str | None,
    max_fps: float | None,
    mqtt: str | None,
) -> int:
    """Serves the page until Ctrl-C; returns the exit status.

    `camera` is `browser` or what `open_camera` takes; `auth` is USER:PASSWORD. Raises CameraError, ModelNotFound,
    ContractError, RuntimeMissing or EdgeAppError before anything is served.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # nothing is to leave this machine
    credentials = read_auth(auth)
    if share and camera != "browser" and not share_camera:
        raise EdgeAppError(
            f"--share with --camera {without_password(camera)} would show this camera to everybody who has the link. "
            "Add --share-camera if that is what you want, or leave --camera out."
        )
    if share_camera and not share:
        raise EdgeAppError("--share-camera: there is no share link without --share")
    if mqtt is not None and camera == "browser":
        raise EdgeAppError("--mqtt: what is published is what this machine's camera shows; add --camera auto")
    if share and https:
        raise EdgeAppError("--https and --share: a share link is https already; leave one of them out")
    certificate = own_certificate(own_names(own_address())) if https else None
    if share and credentials is None:
        credentials = ("guest", secrets.token_urlsafe(PASSWORD_BYTES))
        print(f"Name and password for the page: {':'.join(credentials)}", flush=True)
    classifiers = Classifiers()
    with contextlib.ExitStack() as ending:
        publish = ending.enter_context(publishing(mqtt))
        watch = None
        if has_device_camera(camera, publish):
            watch = Watch(lambda: open_camera(camera), classifiers, 1 / max_fps if max_fps else 0.0)
            ending.callback(watch.close)
        page, desk = build_page(model, classifiers, watch, max_fps, may_teach(host, share, credentials is not None))
        ending.callback(page.close, verbose=False)
        seen = None
        if watch is not None and mqtt is not None:
            seen = Seen()
            wish = Wish(model or default_model())
            ending.enter_context(following(watch, wish, Ears(publish, seen)))
        rules = Rules(lambda: health(desk, seen), LOOPBACK | {in_url(host)} if is_loopback(host) else None)
        _launch(page, rules, host=host, port=port, share=share, credentials=credentials, certificate=certificate)
        return _stay(page, awaits_camera=camera == "auto" and watch is None and systemd.is_service())


def has_device_camera(camera: str, publish: Callable[[Report], None]) -> bool:
    """Whether pictures come from this machine's camera: not with `browser`, nor with `auto` where there is none.

    Raises CameraError if it cannot be opened, and another was asked for than `auto`: a wrong path is better told now
    than on the page. That it cannot is published either way.
    """
    if camera == "browser":
        return False
    try:
        try_camera(camera, publish)
    except CameraError as error:
        if camera != "auto":
            raise
        print(f"{error}. The page uses the browser's camera.", flush=True)
        return False
    return True


def _look_for_camera(there_is_one: threading.Event) -> None:
    """Every now and then, until `auto` finds a camera; one that gives nothing may keep it for many seconds."""
    while not there_is_one.is_set():
        time.sleep(CAMERA_EVERY_S)
        with contextlib.suppress(CameraError):
            open_camera("auto").close()
            there_is_one.set()


def read_auth(auth: str | None) -> tuple[str, str] | None:
    """USER:PASSWORD -> (user, password). Raises EdgeAppError without naming what was given."""
    if auth is None:
        return None
    user, _, password = auth.partition(":")
    user = user.strip()  # as Gradio does with what is typed
    if not (user and password):
        raise EdgeAppError("--auth: expected USER:PASSWORD, both of at least one character")
    return user, password


def _launch(
    page: gr.Blocks,
    rules: Rules,
    *,
    host: str,
    port: int,
    share: bool,
    credentials: tuple[str, str] | None,
    certificate: Certificate | None,
) -> None:
    try:
        with straight():
            page.launch(
                server_name=in_url(host),
                server_port=port,
                share=False,  # share_link says why
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
                state_session_capacity=SESSIONS,
                ssl_certfile=str(certificate.certificate) if certificate else None,
                ssl_keyfile=str(certificate.key) if certificate else None,
                ssl_verify=False,  # by Gradio's own first question to the page, which is signed by nobody else
                app_kwargs={"middleware": [Middleware(Gate, rules=rules)]},
            )
    except OSError as error:
        low = ", or ports below 1024 are for the system" if port < 1024 else ""
        raise EdgeAppError(
            f"{in_url(host)}:{port} cannot be used: another program has the port, or the address is not this "
            f"machine's{low}. Choose another with --port or --host."
        ) from error
    if share:
        print(f"Asking for a share link, up to a minute. The page opens at {page.local_url} meanwhile.", flush=True)
        if link := share_link(page):
            rules.share_host = link.partition("://")[2]
            print(f"Shared for a week at most, with whoever has the link: {link}")
        else:
            print("No share link could be had: Gradio's tunnel cannot be reached from here. The page goes on without.")
    if host == "0.0.0.0":
        scheme = "https" if certificate else "http"
        print(f"From another machine: {scheme}://{own_address()}:{port}/")
        if certificate:
            print("Its browser will warn of a certificate it does not know: this machine has made it itself.")


def _stay(page: gr.Blocks, awaits_camera: bool) -> int:
    """Until Ctrl-C; if it ``awaits_camera``, also until there is one: it is for systemd to start the page with it."""
    there_is_one = threading.Event()
    if awaits_camera:
        threading.Thread(target=_look_for_camera, args=(there_is_one,), name="camera", daemon=True).start()
    try:
        print(f"{TITLE}: {page.local_url}  (Ctrl-C ends it)", flush=True)
        systemd.tell("READY=1")
        watchdog = systemd.Watchdog()
        while page.is_running:
            time.sleep(POLL_S)
            watchdog.feed(lambda: is_well(str(page.local_url)))
            if there_is_one.is_set():
                print("There is a camera now: the page is started again, with it.", flush=True)
                return AGAIN
    except KeyboardInterrupt:
        print("Bye.")
    return 0


def in_url(host: str) -> str:
    """A host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a page that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def may_teach(host: str, share: bool, has_password: bool) -> bool:
    """Whether those who use the page may teach: on this machine alone, or with a password that is not a link's."""
    return not share and (is_loopback(host) or has_password)


def own_address() -> str:
    """This machine's address in its network, or its name if it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # UDP: picks the way and sends nothing. RFC 5737: nobody's address
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
