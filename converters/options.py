"""Options that more than one command has."""

import argparse
from pathlib import Path


def add_own_pictures(parser: argparse.ArgumentParser) -> None:
    """``--photos`` and ``--products``: lists of paths, empty if not given."""
    for name in ("photos", "products"):
        words = f"own {name}, an archive or folder, that it was trained on, too; may be given more than once"
        parser.add_argument(f"--{name}", metavar="PATH", type=Path, action="append", default=[], help=words)
