"""What TensorBoard's projector reads: points, metadata, sprites, and the configuration that names them.

The layout is that of https://www.tensorflow.org/tensorboard/tensorboard_projector_plugin and of
tensorboard/plugins/projector/projector_config.proto.
"""

import functools
import math
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector import EmbeddingInfo, ProjectorConfig

from train.files import write_atomically
from train.projector.spaces import SIDE, Pictures

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

CONFIG = "projector_config.pbtxt"  # TensorBoard looks for this name


def sprite_sheet(images: UInt8) -> UInt8:
    """Images uint8 (N, H, W) -> one uint8 (S * H, S * W), S = ceil(sqrt(N)): row by row, what remains is black.

    TensorBoard expects a square of as many columns as rows.
    """
    count, height, width = images.shape
    side = math.ceil(math.sqrt(count))
    sheet = np.zeros((side * side, height, width), np.uint8)
    sheet[:count] = images
    return sheet.reshape(side, side, height, width).transpose(0, 2, 1, 3).reshape(side * height, side * width)


def metadata(columns: dict[str, tuple[str, ...]]) -> str:
    """Columns of equal length as TensorBoard's TSV: a heading, then a line a point.

    It knows no quotes: tabs and line breaks in a value become spaces. A single column has no heading there.
    """
    rows = list(zip(*columns.values(), strict=True))
    lines = [tuple(columns), *rows] if len(columns) > 1 else rows
    return "".join(
        "\t".join(re.sub(r"[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", cell) for cell in line) + "\n"
        for line in lines
    )


def tensor_file(points: Float32) -> tuple[str, bytes]:
    """Points float32 (N, D) as a file: its suffix and content, raw float32 (little-endian) or a TSV.

    TensorBoard first reads any file as a TSV, and as raw numbers if its first line is no UTF-8 text: where the raw
    numbers happen to be one, it gets a TSV.
    """
    raw = np.ascontiguousarray(points, dtype="<f4").tobytes()
    try:
        raw.split(b"\n", 1)[0].decode("utf-8")
    except UnicodeDecodeError:
        return ".bytes", raw
    lines = ("\t".join(format(float(value), ".9g") for value in row) for row in points)
    return ".tsv", ("\n".join(lines) + "\n").encode("ascii")


def write_logs(folder: Path, sets: list[Pictures], model: str) -> None:
    """The files for every set and space, and last the configuration, which makes TensorBoard see them."""
    config = ProjectorConfig()
    for pictures in sets:
        sheet, table = f"{pictures.name}.png", f"{pictures.name}.metadata.tsv"
        image = Image.fromarray(sprite_sheet(pictures.pixels))
        write_atomically(folder / sheet, functools.partial(image.save, format="PNG"))
        columns = pictures.columns | ({"picture": pictures.names} if pictures.names else {})
        _write(folder / table, metadata(columns).encode("utf-8"))
        for space, points in pictures.spaces.items():
            suffix, content = tensor_file(points)
            what = "pixels" if space == "pixels" else f"features of {model}"
            info = EmbeddingInfo(
                tensor_name=f"{pictures.name}, {what}",
                tensor_path=f"{pictures.name}-{space}{suffix}",
                tensor_shape=points.shape,
                metadata_path=table,
            )
            info.sprite.image_path = sheet
            info.sprite.single_image_dim.extend((SIDE, SIDE))
            _write(folder / info.tensor_path, content)
            config.embeddings.append(info)
    _write(folder / CONFIG, text_format.MessageToString(config).encode("utf-8"))


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, functools.partial(Path.write_bytes, data=content))
