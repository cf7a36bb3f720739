"""From an image file or its bytes to an RGB array, whoever made the file.

Pillow does the decoding, for the webcam's frames too: it reads the header before anything is decoded, refuses a
truncated JPEG where OpenCV returns a half-grey picture, and knows CMYK and EXIF. OpenCV would be 0.2 ms faster for a
320x240 JPEG, which takes 0.5 ms. The four formats' readers are called directly: no guessing among all that Pillow has,
and none of the limits that `PIL.Image.open` keeps in global state.
"""

import io
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from edge_app.errors import ImageError

UInt8 = npt.NDArray[np.uint8]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
MAX_PIXELS = 40_000_000
MAX_BYTES = 64 * 1024 * 1024
JPEG = b"\xff\xd8\xff"
START_OF_SCAN = b"\xff\xda"  # ITU-T T.81, table B.1; within a scan 0xff is followed by 0 or a restart's marker
MAX_SCANS = 100  # progressive pictures have some ten; each costs a millisecond a megapixel, however empty it is
BYTES_BY_CHANCE = 10_000  # a phone's short film after the picture has the mark once in 65,536 bytes

_BAND_ROWS = 512
_ORIENTATION_TAG = 0x0112
# EXIF 2.32, tag 274: how a stored picture is turned into the one that was seen.
_UPRIGHT: dict[int, Callable[[UInt8], UInt8]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
# What Pillow's readers raise on damaged data.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, struct.error, zlib.error)


def is_picture(path: Path) -> bool:
    """Whether a file's name says that it is one; macOS writes files that are none beside them, `._` before the name."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith("._")


def decode_file(path: Path) -> UInt8:
    """Decodes the picture at `path`: frame_rgb, uint8 (H, W, 3), 0..255, upright; possibly read-only.

    Raises ImageError, naming the path, for whatever keeps it from being read.
    """
    with reading(path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileNotFoundError
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    return decode_bytes(data, name=str(path))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever the system says when `path` is looked at or read becomes an ImageError that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such picture file; check the path") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror}); check its name and permissions") from error


def decode_bytes(data: bytes, max_pixels: int = MAX_PIXELS, name: str = "picture") -> UInt8:
    """Decodes a JPEG, PNG, WebP or BMP: frame_rgb, uint8 (H, W, 3), 0..255, upright; possibly read-only.

    Grey becomes three equal channels, 16 bits are scaled to 8, transparency shows white, EXIF orientation is applied;
    of an animation the first picture is taken. `name` is what messages call the picture.

    Raises ImageError if the data is empty, damaged, of another format, longer than 64 MiB, a JPEG of many more scans
    than any program makes, or a picture of more than `max_pixels`; the last three before anything is decoded.
    """
    if not data:
        raise ImageError(f"{name}: the file is empty; replace it with a picture")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name}: longer than {MAX_BYTES // 1024**2} MiB; make the picture smaller")
    if data.startswith(JPEG) and data.count(START_OF_SCAN) > MAX_SCANS + len(data) // BYTES_BY_CHANCE:
        raise ImageError(f"{name}: a JPEG of too many scans, which takes too long; save it again")
    image = _open(data, name)
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: {width}x{height} pixels, more than {max_pixels / 1e6:g} million; make the picture smaller"
        )
    try:
        image.load()
        if image.mode == "P" and image.palette is None:
            raise ValueError("no palette")
        stored_rgb = _to_rgb(image)
    except _DAMAGED as error:
        raise ImageError(f"{name}: damaged or truncated ({error}); copy or save it again") from error
    upright = _UPRIGHT.get(_orientation(image))
    return stored_rgb if upright is None else np.ascontiguousarray(upright(stored_rgb))


def _orientation(image: Image.Image) -> int:
    """As its EXIF has it; 1, upright, where there is none, or none that can be read: the picture is whole."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1)) if "exif" in image.info else 1
    except _DAMAGED:
        return 1


def _open(data: bytes, name: str) -> ImageFile.ImageFile:
    """Reads the header: the size is known, no pixel is decoded."""
    file = io.BytesIO(data)
    try:
        if data.startswith(JPEG):
            return JpegImagePlugin.JpegImageFile(file)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _with_key_in_8_bits(PngImagePlugin.PngImageFile(file), data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return WebPImagePlugin.WebPImageFile(file)
        if data.startswith(b"BM"):
            return BmpImagePlugin.BmpImageFile(file)
    except _DAMAGED as error:
        raise ImageError(f"{name}: its header is damaged ({error}); copy or save it again") from error
    raise ImageError(f"{name}: not a JPEG, PNG, WebP or BMP picture; save it as one of these")


def _with_key_in_8_bits(image: PngImagePlugin.PngImageFile, data: bytes) -> PngImagePlugin.PngImageFile:
    """A PNG not yet loaded; the colour that it calls transparent as Pillow decodes it, where it has 2, 4 or 16 bits.

    Its first chunk, IHDR, has the bits of a sample and the colour type, 0 for grey and 2 for RGB, at bytes 24 and 25
    (https://www.w3.org/TR/png-3/#11IHDR). Of 16-bit grey, which Pillow keeps so, the key stays as it is.
    """
    key, bits, colour = image.info.get("transparency"), data[24], data[25]
    if isinstance(key, int) and colour == 0 and bits in (2, 4):
        image.info["transparency"] = key * 255 // (2**bits - 1)
    if isinstance(key, tuple) and colour == 2 and bits == 16:
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image


def _to_rgb(image: Image.Image) -> UInt8:
    """A loaded picture of any mode -> uint8 (H, W, 3) RGB, not yet turned upright.

    By bands of rows: the largest picture then needs one copy of itself in memory, not four.
    """
    width, height = image.size
    if height <= _BAND_ROWS:
        return _band_to_rgb(image)
    frame_rgb = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, height)
        frame_rgb[top:bottom] = _band_to_rgb(image.crop((0, top, width, bottom)))
    return frame_rgb


def _band_to_rgb(band: Image.Image) -> UInt8:
    """A loaded picture, or some rows of one -> uint8 (H, W, 3) RGB."""
    if band.mode.startswith("I"):  # 16-bit grey, 0..65535 -> 0..255; Pillow's own conversion would clip it
        stored = np.asarray(band).astype(np.uint16, copy=False)
        grey = cv2.convertScaleAbs(stored, alpha=255 / 65535)
        if "transparency" in band.info:
            grey[stored == band.info["transparency"]] = 255
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    if band.has_transparency_data:
        seen = band.convert("RGBA")
        page = Image.new("RGB", band.size, "white")
        page.paste(seen, mask=seen.getchannel("A"))
        return np.asarray(page)
    return np.asarray(band if band.mode == "RGB" else band.convert("RGB"))
