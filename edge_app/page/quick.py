"""Gradio, imported in half the time, and whatever proxy there is."""

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_stubs() -> Iterator[None]:
    """Whoever imports Gradio in here does not wait for it to write type stubs for editors beside its own modules.

    It does so at every import, one class after the other (its component_meta.py), unless a class has no file: that is
    what it is told here. With Gradio 6.31 on a laptop's processor: 2.7 s with, 1.4 s without.
    """
    getfile = inspect.getfile

    def getfile_but_of_components(thing: object) -> str:
        if isinstance(thing, type) and thing.__module__.startswith("gradio."):
            raise OSError("no stubs are wanted")
        return getfile(thing)  # type: ignore[arg-type]

    inspect.getfile = getfile_but_of_components  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = getfile


@contextmanager
def straight() -> Iterator[None]:
    """In here no proxy of the environment is asked. Gradio asks its own page whether it is there, and makes a client
    when it is imported, which fails where a proxy is of a kind (SOCKS) that another package is needed for."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "*"
    try:
        yield
    finally:
        del os.environ["no_proxy"]
        if before is not None:
            os.environ["no_proxy"] = before


with without_stubs(), straight():
    import gradio

__all__ = ["gradio", "straight", "without_stubs"]
