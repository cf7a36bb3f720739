"""Collections of real pictures: a table of labels and an images folder, in a zip archive or a folder.

photos: from https://github.com/alexeygrigorev/clothing-dataset (CC0 1.0), ``photos.csv`` with the columns image,
label, sender_id and split; one's own photos have the same layout. products: from "Fashion Product Images (Small)" by
paramaggarwal on Kaggle (MIT licence), ``products.csv`` with image, article_type and split. In both one of the eleven
class names may stand for itself.
"""

import contextlib
import csv
import io
import lzma
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from edge_app.errors import DataError, ImageError
from edge_app.images import SUFFIXES, UInt8, decode_bytes
from edge_app.labels import LIVE, NONE
from train.data import find_data

MADE = "docs/training.md says how they are made."
SPLITS = ("train", "val")
PERSON = "sender_id"  # the column that says who took a picture
SHOES = ("Sandal", "Sneaker", "Ankle boot")
# What reading from an archive or a folder may raise: an encrypted entry is a RuntimeError, one cut short an EOFError.
UNREADABLE = (OSError, KeyError, RuntimeError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
SHOE_TABLE = Path(__file__).with_name("shoes.csv")  # this project's own: what 164 of the published photos show


def _by_label(labels: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """{class: its labels} -> {label: (class,)}."""
    return {label: (name,) for name, found in labels.items() for label in found}


@dataclass(frozen=True, eq=False)
class Layout:
    """A kind of collection: its name, the column that holds the label, whether its table says who took each picture,
    and the classes right for each label.

    ``training_classes``: the one class of single pictures, by name, whose label leaves several open. It counts in
    training only: all pictures of a label are judged alike.
    """

    name: str
    label_column: str
    has_people: bool
    classes: dict[str, tuple[str, ...]]
    training_classes: dict[str, str] = field(default_factory=dict)

    def classes_of(self, name: str, label: str, split: str) -> tuple[str, ...]:
        """The classes that are right for a picture."""
        allowed = self.classes[label]
        known = self.training_classes.get(name)
        return (known,) if known in allowed and split == "train" else allowed


def read_shoes() -> dict[str, str]:
    """{picture's name: which shoe it shows}. Boots of any height are ankle boots, lace-up and formal shoes sneakers,
    pumps and flats sandals, as products are counted; pictures that show none of the three clearly are left out."""
    with SHOE_TABLE.open(newline="") as file:
        return {row["image"]: row["label"] for row in csv.DictReader(file)}


PHOTOS = Layout(
    "photos",
    "label",
    True,
    {name: (name,) for name in LIVE}
    | {"Shoes": SHOES}
    | _by_label(
        {
            "T-shirt/top": ("T-Shirt", "Polo", "Top", "Undershirt"),
            "Trouser": ("Pants",),
            "Pullover": ("Longsleeve", "Hoodie"),
            "Dress": ("Dress",),
            "Coat": ("Outwear", "Blazer"),
            "Shirt": ("Shirt", "Blouse"),
            NONE: ("Hat", "Shorts", "Skirt", "Body"),
        }
    ),
    read_shoes(),
)
PRODUCTS = Layout(
    "products",
    "article_type",
    False,
    {name: (name,) for name in LIVE}
    | _by_label(
        {
            "T-shirt/top": ("Tshirts", "Tops"),
            "Trouser": ("Trousers", "Jeans", "Track Pants", "Leggings"),
            "Pullover": ("Sweaters", "Sweatshirts"),
            "Dress": ("Dresses",),
            "Coat": ("Jackets", "Blazers", "Rain Jacket"),
            "Sandal": ("Sandals", "Flip Flops", "Heels", "Flats"),
            "Shirt": ("Shirts",),
            "Sneaker": ("Casual Shoes", "Sports Shoes", "Formal Shoes"),
            "Bag": ("Handbags", "Backpacks", "Clutches", "Duffel Bag", "Laptop Bag", "Messenger Bag", "Trolley Bag"),
            NONE: (
                *("Caps", "Shorts", "Skirts", "Watches", "Sunglasses", "Belts"),
                *("Socks", "Ties", "Scarves", "Kurtas", "Wallets"),
            ),
        }
    ),
)


@dataclass(frozen=True)
class Picture:
    """One row: the picture's name, the classes that are right for it, who took it ("" if unknown), and its split."""

    name: str
    classes: tuple[str, ...]
    person: str
    split: str

    @property
    def is_garment(self) -> bool:
        """Whether it is one of the ten."""
        return self.classes != (NONE,)


class Collection:
    """An open collection; a context manager. Raises DataError, naming file and row, for anything wrong with it."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        try:
            self._root: zipfile.Path | Path = path if path.is_dir() else zipfile.Path(zipfile.ZipFile(path))
            table = (self._root / f"{layout.name}.csv").read_bytes()
        except UNREADABLE as error:
            require_table_on_top(path, layout)
            raise DataError(
                f"{path}: not a zip archive or folder with {layout.name}.csv and images/ ({_said(error)}). Fetch it, "
                "or make it, again."
            ) from error
        self.pictures = read_table(table, layout, f"{path}/{layout.name}.csv")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._root, zipfile.Path):
            self._root.root.close()

    def frame(self, picture: Picture) -> UInt8:
        """The picture as frame_rgb uint8 (H, W, 3), RGB."""
        has_suffix = Path(picture.name).suffix.lower() in SUFFIXES
        file = picture.name if has_suffix else f"{picture.name}.jpg"
        images = self._root / "images"
        try:
            if not (images / file).exists():
                endings = ["", *SUFFIXES, *map(str.upper, SUFFIXES)]  # "": what no suffix of ours ends, such as HEIC
                there = (
                    f"{picture.name}{ending}" for ending in endings if (images / f"{picture.name}{ending}").exists()
                )
                file = next(there, file)
            name = f"{self.path}/images/{file}"
            return decode_bytes((images / file).read_bytes(), name=name)
        except (FileNotFoundError, KeyError, ImageError) as error:
            raise DataError(
                f"{self.path}/images/{file}: {error}. Put a picture there that can be read, one of "
                f"{', '.join(SUFFIXES)}, or take its row out of the table."
            ) from error
        except UNREADABLE as error:
            raise DataError(
                f"{self.path}: its images/{file} cannot be read ({_said(error)}). Fetch the collection, or make it, "
                "again."
            ) from error


def require_table_on_top(path: Path, layout: Layout) -> None:
    """Raises DataError for what has the collection's folder in it, in place of what that holds: file managers pack a
    folder so. Of what cannot be read it says nothing: whoever reads it does."""
    table = f"{layout.name}.csv"
    with contextlib.suppress(*UNREADABLE), contextlib.ExitStack() as stack:
        root = path if path.is_dir() else zipfile.Path(stack.enter_context(zipfile.ZipFile(path)))
        below = [] if (root / table).exists() else [one.name for one in root.iterdir() if (one / table).exists()]
        if below:
            remedy = f"Name {path / below[0]}" if path.is_dir() else "Pack what that holds, not the folder itself"
            raise DataError(f"{path}: {table} is in its folder {below[0]}. {remedy}.")


def _stem(name: str) -> str:
    """A picture's name, or its file's name, without the ending."""
    return name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in SUFFIXES else name


def _said(error: Exception) -> str:
    return str(error) or "it is cut short"  # an EOFError says nothing


def find_collection(data_dir: Path, layout: Layout) -> Path | None:
    """``data_dir``/NAME.zip, or the folder ``data_dir``/NAME, or None."""
    candidates = (data_dir / f"{layout.name}.zip", data_dir / layout.name)
    return next((path for path in candidates if path.exists()), None)


def find_collections(data_dir: str | None) -> dict[Layout, Path]:
    """Photos and products in the folder of data. Raises DataError unless both are there."""
    folder = find_data(data_dir)
    found = {layout: find_collection(folder, layout) for layout in (PHOTOS, PRODUCTS)} if folder else {}
    collections = {layout: path for layout, path in found.items() if path}
    if missing := [layout.name for layout in (PHOTOS, PRODUCTS) if layout not in collections]:
        raise DataError(
            f"{' and '.join(missing)} are needed: put them into the folder named by --data or EDGE_APP_DATA. {MADE}"
        )
    return collections


def require_apart(collections: Sequence[Collection]) -> None:
    """Raises DataError if a person is in one split here and in the other there."""
    seen: dict[str, tuple[str, Path]] = {}
    for collection in collections:
        for row in collection.pictures:
            split, path = seen.setdefault(row.person, (row.split, collection.path))
            if row.person and split != row.split:
                raise DataError(
                    f"{collection.path}: person {row.person} is in its split {row.split} and in the split {split} of "
                    f"{path}. Put all pictures of a person into one, or, if they are two people, give one another "
                    "sender_id."
                )


def rows_of(collections: Sequence[Collection], split: str) -> list[tuple[Collection, Picture]]:
    """All rows of a split, each with its collection, at least one of them of a garment. Raises DataError."""
    found = [(each, row) for each in collections for row in each.pictures if row.split == split]
    if not any(row.is_garment for _, row in found):
        places = ", ".join(str(each.path) for each in collections)
        raise DataError(f"{places}: no garment of the split {split}. Give some rows that split.")
    return found


def read_table(content: bytes, layout: Layout, name: str) -> list[Picture]:
    """The rows of a collection's table; ``name`` is what messages call it.

    Blanks around what a cell holds do not count. Raises DataError for a missing column, an unknown label or split, a
    row cut short, a person in both splits, or a picture that has two rows.
    """
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{name}: not a CSV file in UTF-8 ({error}).") from error
    columns = [column.strip() for column in lines[0]] if lines else []
    needed = ["image", layout.label_column, *([PERSON] if layout.has_people else []), "split"]
    if missing := [column for column in needed if column not in columns]:
        blank = f" {PERSON} may be blank where nobody knows." if PERSON in missing else ""
        raise DataError(f"{name}: no column {', '.join(missing)}. It needs {', '.join(needed)}.{blank}")
    pictures: list[Picture] = []
    names: set[str] = set()
    stems: set[str] = set()
    split_of: dict[str, str] = {}
    for number, line in enumerate(filter(None, lines[1:]), start=2):
        row = dict.fromkeys((*columns, PERSON), "") | dict(zip(columns, map(str.strip, line), strict=False))
        label, split, person = row[layout.label_column], row["split"], row[PERSON]
        place = f"{name}, row {number}"
        if not row["image"] or Path(row["image"]).name != row["image"]:
            raise DataError(f"{place}: {row['image']!r} is no picture's name.")
        if label not in layout.classes:
            raise DataError(f"{place}: unknown label {label!r}. Known: {', '.join(sorted(layout.classes))}.")
        if split not in SPLITS:
            raise DataError(f"{place}: split {split!r}, expected train or val.")
        if person and split_of.setdefault(person, split) != split:
            raise DataError(f"{place}: person {person} is in both splits. Put all pictures of a person into one.")
        stem = _stem(row["image"])
        if {row["image"], stem} & names or (stem == row["image"] and stem in stems):  # a and a.jpg are one picture
            raise DataError(f"{place}: {row['image']} has a row before this one. Leave one of the two out.")
        names.add(row["image"])
        stems.add(stem)
        pictures.append(Picture(row["image"], layout.classes_of(row["image"], label, split), person, split))
    return pictures
