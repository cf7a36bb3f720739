"""The page: everything in one file, which opens without a network."""

import base64
import gzip
import json
import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from train.projector.embed import Packed, Pca, agreement, pack_places, pack_points
from train.projector.spaces import SIDE, Pictures, commonest

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

FOLDER = Path(__file__).parent / "page"
STYLES = ("style", "stage")
SCRIPTS = ("data", "views", "picture", "canvas", "marks", "pointer", "details", "controls")  # joined in this order
ORDERED = {"judged": ["right", "unsure", "wrong"], "split": ["train", "val"]}


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the points of a space lie: principal axes, t-SNE in the plane (N, 2) and in space (N, 3), float32."""

    pca: Pca
    plane: Float32
    space: Float32


@dataclass
class Arrays:
    """Arrays that travel in the page, each as gzipped bytes in base64; ``about`` says how to read them."""

    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def add(self, packed: Packed) -> str:
        """Keeps an array, and returns its name in the page."""
        name = f"array-{len(self.texts)}"
        codes = np.ascontiguousarray(packed.codes, dtype=packed.codes.dtype.newbyteorder("<"))
        content = gzip.compress(codes.tobytes(), compresslevel=9, mtime=0)
        self.about[name] = {
            "type": str(packed.codes.dtype),
            "shape": list(packed.codes.shape),
            "low": packed.low,
            "step": packed.step,
        }
        self.texts[name] = base64.b64encode(content).decode("ascii")
        return name


def make_page(sets: list[Pictures], layouts: dict[tuple[str, str], Layout], model: str) -> str:
    """The page's text; ``layouts`` are those of (set's name, space's name)."""
    arrays = Arrays()
    about = {"model": model, "side": SIDE, "sets": [_set(pictures, layouts, model, arrays) for pictures in sets]}
    about["arrays"] = arrays.about
    data = "".join(f'<script type="text/plain" id="{name}">{text}</script>\n' for name, text in arrays.texts.items())
    parts = {
        "TITLE": escape(f"Projector: {model}"),
        "STYLE": "\n".join((FOLDER / f"{name}.css").read_text(encoding="utf-8") for name in STYLES),
        "ABOUT": json.dumps(about, ensure_ascii=False).replace("<", "\\u003c"),
        "DATA": data,
        "SCRIPT": "\n".join((FOLDER / "script" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS),
    }
    template = (FOLDER / "page.html").read_text(encoding="utf-8")
    return re.sub("<!-- (" + "|".join(parts) + ") -->", lambda mark: parts[mark[1]], template)


def _set(pictures: Pictures, layouts: dict[tuple[str, str], Layout], model: str, arrays: Arrays) -> dict[str, Any]:
    """What the page knows of a set."""
    columns = [_column(name, words, arrays) for name, words in pictures.columns.items()]
    classes = next(iter(pictures.columns.values()))
    codes = np.array([sorted(set(classes)).index(word) for word in classes], np.uint8)
    titles = {"pixels": "Pixels", "features": f"Features of {model}"}
    spaces = []
    for name, points in pictures.spaces.items():
        layout = layouts[pictures.name, name]
        packed = Packed(pictures.pixels, 0.0, 1 / 255) if name == "pixels" else pack_points(points)
        spaces.append(
            {
                "name": name,
                "title": titles[name],
                "dimensions": points.shape[1],
                "points": arrays.add(packed),
                "pca": arrays.add(pack_places(layout.pca.coordinates)),
                "shares": [round(float(share), 4) for share in layout.pca.shares],
                "axis": [round(float(number), 6) for number in layout.pca.axes[0]],
                "plane": arrays.add(pack_places(layout.plane)),
                "space": arrays.add(pack_places(layout.space)),
                "agreement": round(agreement(points, codes), 4),
            }
        )
    return {
        "name": pictures.name,
        "title": pictures.title,
        "count": len(pictures.pixels),
        "columns": columns,
        "names": list(pictures.names),
        "spaces": spaces,
    }


def _column(name: str, words: tuple[str, ...], arrays: Arrays) -> dict[str, Any]:
    """A column as its different words and, for each point, which of them it has."""
    values = [word for word in ORDERED.get(name, commonest(words)) if word in words]
    codes = np.array([values.index(word) for word in words], np.uint8)
    return {"name": name, "values": values, "codes": arrays.add(Packed(codes, 0.0, 1.0))}
