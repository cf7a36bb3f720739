"""Where collections of real pictures are, published ones and a user's own, and what tells them from others."""

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_app.contract import Contract, sha256
from edge_app.errors import DataError
from edge_app.images import SUFFIXES
from train.pictures import (
    MADE,
    PHOTOS,
    PRODUCTS,
    Collection,
    Layout,
    find_collection,
    require_apart,
    require_table_on_top,
)

# The names by which digests of published collections are kept: an archive's, or that of a folder's table.
PUBLISHED = {layout: (f"{layout.name}.zip", f"{layout.name}/{layout.name}.csv") for layout in (PHOTOS, PRODUCTS)}
RESERVED = {name for names in PUBLISHED.values() for name in names}
UNPACKED = "(An archive and its unpacked copy cannot be told from others: use the archive.)"
OWN = "own pictures"
START = "start "  # before its name, in Config.data: the network that the run began with


@dataclass(frozen=True)
class Paths:
    """Where collections of real pictures are: zip archives or folders, and which of them are a user's ``own``."""

    photos: tuple[Path, ...]
    products: tuple[Path, ...]
    own: frozenset[Path] = frozenset()

    @property
    def all(self) -> tuple[tuple[Layout, Path], ...]:
        """Each with its layout."""
        return tuple((PHOTOS, path) for path in self.photos) + tuple((PRODUCTS, path) for path in self.products)

    @property
    def by_layout(self) -> dict[Layout, tuple[Path, ...]]:
        """Those of each layout of which there are any."""
        return {layout: paths for layout, paths in ((PHOTOS, self.photos), (PRODUCTS, self.products)) if paths}

    @contextmanager
    def opened(self) -> Iterator[dict[Layout, list[Collection]]]:
        """All of them, open, by layout. Raises DataError."""
        with ExitStack() as stack:
            found: dict[Layout, list[Collection]] = {PHOTOS: [], PRODUCTS: []}
            for layout, path in self.all:
                found[layout].append(stack.enter_context(Collection(path, layout)))
            for collections in found.values():
                require_apart(collections)
            yield found


LEARNED = "own {}, an archive or folder, that it was trained on, too; may be given more than once"


def add_own_pictures(parser: argparse.ArgumentParser, words: str = LEARNED) -> None:
    """``--photos`` and ``--products``: lists of paths, empty if not given."""
    for name in ("photos", "products"):
        words_of = words.format(name)
        parser.add_argument(f"--{name}", metavar="PATH", type=Path, action="append", default=[], help=words_of)


def gather_paths(data_dir: Path | None, own_photos: Sequence[Path], own_products: Sequence[Path]) -> Paths:
    """photos and products of ``data_dir``, as far as they are there, and a user's own."""

    def gather(layout: Layout, own: Sequence[Path]) -> tuple[Path, ...]:
        published = find_collection(data_dir, layout) if data_dir else None
        return (*([published] if published else []), *own)

    own = frozenset((*own_photos, *own_products))
    return Paths(gather(PHOTOS, own_photos), gather(PRODUCTS, own_products), own)


def find_paths(data_dir: Path | None, own_photos: Sequence[Path], own_products: Sequence[Path]) -> Paths:
    """The same. Raises DataError if there is none of a kind."""
    paths = gather_paths(data_dir, own_photos, own_products)
    for layout in (PHOTOS, PRODUCTS):
        if layout not in dict(paths.all):
            raise DataError(
                f"{layout.name} are needed: put {layout.name}.zip into the folder named by --data or "
                f"EDGE_APP_DATA, or name an archive or folder with --{layout.name}. {MADE}"
            )
    return paths


def folder_digest(folder: Path, layout: Layout) -> str:
    """SHA-256 of a folder's table and of the names and contents of its pictures. Raises OSError."""
    images = [file for file in (folder / "images").glob("[!.]*") if file.suffix.lower() in SUFFIXES and file.is_file()]
    files = [folder / f"{layout.name}.csv", *sorted(images, key=lambda file: file.name)]
    told = "".join(f"{sha256(file)}  {file.relative_to(folder).as_posix()}\n" for file in files)
    return hashlib.sha256(told.encode()).hexdigest()


def digests_of(paths: Paths) -> dict[str, str]:
    """SHA-256 of each archive, or of a folder's table and pictures, by as much of its path as no other has; no own
    collection has a name of PUBLISHED. Raises DataError, also for one that is named twice."""
    digests: dict[str, str] = {}
    for layout, path in paths.all:
        require_table_on_top(path, layout)
        file = path if path.is_file() else path / f"{layout.name}.csv"
        try:
            digest = sha256(path) if path.is_file() else folder_digest(path, layout)
        except OSError as error:
            unread = error.filename or file
            raise DataError(f"{unread}: cannot be read ({error.strerror}). Name another collection.") from error
        if digest in digests.values():
            raise DataError(f"{file}: the same as another collection that is learned from. Name each once.")
        parts = file.absolute().parts
        is_archive = path.is_file()
        if is_archive and file.suffix.lower() != ".zip":
            raise DataError(f"{file}: neither a folder nor called .zip. Give an archive that ending.")
        names = ("/".join(parts[-count:]) for count in range(1 if is_archive else 2, len(parts) + 1))
        taken = digests.keys() | (RESERVED if path in paths.own else set())
        digests[next(name for name in names if name not in taken)] = digest
    return digests


def collection_names(data: Iterable[str]) -> list[str]:
    """Of what a network was trained on, by its names in ``Config.data``, the collections of real pictures."""
    return [name for name in data if name.lower().endswith((".zip", ".csv"))]


def own_collections(data: Iterable[str]) -> list[str]:
    """Those of them that a user added."""
    return [name for name in collection_names(data) if name not in RESERVED]


def others(learned: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
    """Which of the published collections a network has learned that are not those that are here, with their digests:
    what is for validation here may have been for training there.

    So it is with a user's ``OWN``, where some that it has learned are not here, but others are: a table, or a
    folder's picture, may have been changed. A published one that is not here at all may be among these others, too.
    """
    strangers = [name for name in own_collections(here) if here[name] not in learned.values()]
    unlike = {}
    for layout in PUBLISHED:
        known, given = published(learned, layout), published(here, layout)
        if known and known not in here.values() and (given or any(_is_of(layout, name) for name in strangers)):
            unlike[layout.name] = known
    missing = [learned[name] for name in own_collections(learned) if learned[name] not in here.values()]
    return unlike | ({OWN: missing[0]} if strangers and missing else {})


def _is_of(layout: Layout, name: str) -> bool:
    """Whether an own collection of that name may be of a layout: if it has not the other's very name."""
    other = PRODUCTS if layout is PHOTOS else PHOTOS
    return name.rpartition("/")[2] not in (f"{other.name}.csv", f"{other.name}.zip")


def others_ever(learned: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
    """The same, of the networks that it began with, too."""
    began = {
        key.rpartition(", ")[2]: digest for key, digest in learned.items() if key.startswith(START) and ", " in key
    }
    own = own_collections(here)
    given = {OWN: bool(own)} | {
        layout.name: published(here, layout) is not None or any(_is_of(layout, name) for name in own)
        for layout in PUBLISHED
    }
    unlike = {name: digest for name, digest in began.items() if given[name] and digest not in here.values()}
    return unlike | others(learned, here)


def published(data: Mapping[str, str], layout: Layout) -> str | None:
    """The digest of the published collection of a layout, None if there is none."""
    return next((data[name] for name in PUBLISHED[layout] if name in data), None)


def elsewhere(name: str, learned: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
    """``others_ever`` of a network that a run begins with, as they are kept in ``Config.data``."""
    return {f"{START}{name}, {kind}": digest for kind, digest in others_ever(learned, here).items()}


def began_elsewhere(data: Iterable[str], name: str) -> bool:
    """Whether the run of this ``Config.data`` began with a network of that name that had learned from others."""
    return any(key.startswith(f"{START}{name}, ") for key in data)


def warn_of_others(contracts: Iterable[Contract], collections: Mapping[Layout, Path]) -> None:
    """Says which models may have learned from pictures that they are now to be judged by."""
    photos, products = (tuple(path for one, path in collections.items() if one is layout) for layout in PUBLISHED)
    here = digests_of(Paths(photos, products))
    for contract in contracts:
        if contract.variant == "live" and (names := others_ever(contract.data, here)):  # others learn from neither
            print(
                f"{contract.name} has learned from other {' and '.join(names)} than these, perhaps from some that are "
                f"for validation here: its figures may come out too good. {UNPACKED}",
                file=sys.stderr,
            )
