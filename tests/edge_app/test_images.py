"""Pictures of every kind and condition, decoded to hand-worked pixels or refused in words."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edge_app import images
from edge_app.errors import ImageError
from edge_app.images import MAX_SCANS, START_OF_SCAN, decode_bytes, decode_file

UInt8 = npt.NDArray[np.uint8]

# What a camera held in each of EXIF's eight ways stores as the rows 123, 456 was seen as these rows.
SEEN = {
    1: ["123", "456"],
    2: ["321", "654"],
    3: ["654", "321"],
    4: ["456", "123"],
    5: ["14", "25", "36"],
    6: ["41", "52", "63"],
    7: ["63", "52", "41"],
    8: ["36", "25", "14"],
}


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey(rows: list[str]) -> UInt8:
    return np.array([[20 * int(digit) for digit in row] for row in rows], np.uint8)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def smooth_picture(width: int = 64, height: int = 48) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([rows * 4, columns * 3, rows + columns], axis=-1).astype(np.uint8))


def test_rgb_png_keeps_every_pixel() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [1, 2, 3]]], np.uint8)
    frame_rgb = decode_bytes(encoded(Image.fromarray(pixels)))
    assert frame_rgb.dtype == np.uint8
    np.testing.assert_array_equal(frame_rgb, pixels)


def test_grey_png_has_three_equal_channels() -> None:
    frame_rgb = decode_bytes(encoded(Image.fromarray(np.array([[0, 128], [200, 255]], np.uint8))))
    np.testing.assert_array_equal(frame_rgb, np.array([[[0] * 3, [128] * 3], [[200] * 3, [255] * 3]]))


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    stored = np.array([[0, 257, 32768], [65278, 65535, 300]], np.uint16)
    frame_rgb = decode_bytes(encoded(Image.fromarray(stored)))
    # 32768 / 257 = 127.5 (rounded to even: 128), 65278 / 257 = 254, 300 / 257 = 1.17
    np.testing.assert_array_equal(frame_rgb[..., 0], [[0, 1, 128], [254, 255, 1]])
    assert frame_rgb.shape == (2, 3, 3)


def test_transparency_shows_white() -> None:
    pixels = np.array([[[255, 0, 0, 128], [255, 0, 0, 255]], [[0, 0, 0, 0], [0, 0, 255, 51]]], np.uint8)
    frame_rgb = decode_bytes(encoded(Image.fromarray(pixels)))
    # red, alpha 128/255: 0 * 128/255 + 255 * 127/255 = 127; blue, alpha 0.2: 0.8 * 255 = 204
    expected = [[[255, 127, 127], [255, 0, 0]], [[255, 255, 255], [204, 204, 255]]]
    np.testing.assert_array_equal(frame_rgb, expected)


def test_grey_with_transparency() -> None:
    frame_rgb = decode_bytes(encoded(Image.merge("LA", [Image.new("L", (1, 1), 0), Image.new("L", (1, 1), 128)])))
    np.testing.assert_array_equal(frame_rgb, [[[127, 127, 127]]])


def test_palette_with_a_transparent_entry() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 0, 0])
    palette.putpixel((1, 0), 1)
    np.testing.assert_array_equal(decode_bytes(encoded(palette)), [[[10, 20, 30], [200, 0, 0]]])
    transparent = decode_bytes(encoded(palette, transparency=0))
    np.testing.assert_array_equal(transparent, [[[255, 255, 255], [200, 0, 0]]])


def png(bits: int, colour: int, row: bytes, key: bytes) -> bytes:
    """A PNG of 2x1 pixels, written by hand: grey (colour type 0) or RGB (2), one colour of which is transparent."""
    parts = {b"IHDR": struct.pack(">IIBBBBB", 2, 1, bits, colour, 0, 0, 0), b"tRNS": key}
    parts |= {b"IDAT": zlib.compress(b"\0" + row), b"IEND": b""}
    chunks = (struct.pack(">I", len(v)) + k + v + struct.pack(">I", zlib.crc32(k + v)) for k, v in parts.items())
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("bits", "colour", "row", "key", "other"),
    [
        (2, 0, b"\x60", b"\0\x01", 170),  # 01 10: of 3, so 85 and 170
        (4, 0, b"\x12", b"\0\x01", 34),  # of 15, so 17 and 34
        (8, 0, b"\x11\x22", b"\0\x11", 34),
        (16, 0, b"\x12\x34\x22\x22", b"\x12\x34", 34),
        (8, 2, b"\x11" * 3 + b"\x22" * 3, b"\0\x11" * 3, 34),
        (16, 2, b"\x12\x34" * 3 + b"\x22\x22" * 3, b"\x12\x34" * 3, 34),
    ],
)
def test_a_transparent_colour_shows_white(bits: int, colour: int, row: bytes, key: bytes, other: int) -> None:
    np.testing.assert_array_equal(decode_bytes(png(bits, colour, row, key)), [[[255] * 3, [other] * 3]])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_lossless_formats_agree(kind: str) -> None:
    picture = smooth_picture()
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decode_bytes(encoded(picture, kind, **options)), np.asarray(picture))


def test_cmyk_jpeg_has_the_right_colours() -> None:
    inks = {(255, 0, 0, 0): (0, 255, 255), (0, 255, 255, 0): (255, 0, 0), (0, 0, 0, 255): (0, 0, 0)}
    for ink, colour in inks.items():
        frame_rgb = decode_bytes(encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=95))
        assert np.abs(frame_rgb.astype(int) - colour).max() <= 3


@pytest.mark.parametrize("orientation", SEEN)
def test_every_exif_orientation(orientation: int) -> None:
    data = encoded(Image.fromarray(grey(SEEN[1])), exif=exif(orientation))
    frame_rgb = decode_bytes(data)
    np.testing.assert_array_equal(frame_rgb[..., 0], grey(SEEN[orientation]))
    assert frame_rgb.flags.c_contiguous


def test_exif_orientation_of_a_jpeg() -> None:
    picture = smooth_picture()
    turned = decode_bytes(encoded(picture, "JPEG", exif=exif(6)))
    np.testing.assert_array_equal(turned, np.rot90(decode_bytes(encoded(picture, "JPEG")), -1))


def test_a_nonsense_orientation_is_ignored() -> None:
    assert decode_bytes(encoded(smooth_picture(), "JPEG", exif=exif(77))).shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_is_no_damaged_picture(kind: str) -> None:
    damaged = encoded(smooth_picture(), kind, exif=b"Exif\0\0no such thing, not even a header")
    assert decode_bytes(damaged).shape == (48, 64, 3)


def test_a_tall_picture_is_decoded_whole() -> None:
    rows = np.arange(1300, dtype=np.int64)[:, np.newaxis] % 251
    pixels = np.repeat((rows * np.ones((1, 3), np.int64)).astype(np.uint8)[..., np.newaxis], 3, axis=-1)
    np.testing.assert_array_equal(decode_bytes(encoded(Image.fromarray(pixels))), pixels)


def test_a_huge_picture_is_refused_from_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("1", (12000, 12000)))
    assert len(data) < 25_000
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match="12000x12000 pixels, more than 40 million; make the picture smaller"):
        decode_bytes(data)


def test_the_limit_itself_is_allowed() -> None:
    data = encoded(Image.new("RGB", (20, 10)))
    assert decode_bytes(data, max_pixels=200).shape == (10, 20, 3)
    with pytest.raises(ImageError, match="20x10"):
        decode_bytes(data, max_pixels=199)


def test_a_jpeg_of_scans_without_end_is_refused_before_it_is_decoded() -> None:
    jpeg = encoded(Image.new("RGB", (8, 8), (90, 90, 90)), "JPEG", progressive=True)
    assert 1 < jpeg.count(START_OF_SCAN) < 20
    assert np.abs(decode_bytes(jpeg).astype(int) - 90).max() <= 1
    with pytest.raises(ImageError, match="too many scans"):
        decode_bytes(jpeg + START_OF_SCAN * MAX_SCANS)
    film = bytes(2_000_000) + START_OF_SCAN * 250  # of a phone, after the picture
    assert decode_bytes(jpeg + film).shape == (8, 8, 3)


def test_a_long_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "long.bmp"
    path.write_bytes(encoded(smooth_picture(), "BMP"))
    monkeypatch.setattr(images, "MAX_BYTES", path.stat().st_size)
    assert decode_file(path).shape == (48, 64, 3)
    monkeypatch.setattr(images, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(ImageError, match=r"long\.bmp: longer than"):
        decode_file(path)


def damaged() -> dict[str, tuple[bytes, str]]:
    """Name -> content, and what the message says."""
    jpeg, png = encoded(smooth_picture(320, 240), "JPEG"), encoded(smooth_picture())
    return {
        "empty.jpg": (b"", "empty; replace it"),
        "text.jpg": (b"not a picture at all", "not a JPEG, PNG, WebP or BMP picture; save it as"),
        "gif.png": (encoded(smooth_picture(), "GIF"), "not a JPEG, PNG, WebP or BMP picture"),
        "half.jpg": (jpeg[: len(jpeg) // 2], "damaged or truncated .*; copy or save it again"),
        "start.jpg": (jpeg[:20], "damaged"),
        "half.png": (png[: len(png) // 2], "damaged or truncated"),
        "start.png": (png[:20], "damaged"),
        "colourless.png": (encoded(Image.new("P", (2, 2))).replace(b"PLTE", b"abCD"), "damaged"),
        "half.webp": (encoded(smooth_picture(), "WEBP")[:60], "damaged"),
        "half.bmp": (encoded(smooth_picture(), "BMP")[:500], "damaged or truncated"),
    }


def test_bad_files_are_named_with_reason_and_remedy(tmp_path: Path) -> None:
    for name, (content, message) in damaged().items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ImageError, match=message) as caught:
            decode_file(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.jpg"):
        with pytest.raises(ImageError, match="no such picture file; check the path"):
            decode_file(path)


def with_checksums(png: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what is in them (ISO/IEC 15948, section 5.3), as far as it has any."""
    found, place = bytearray(png), 8
    while place + 12 <= len(found):
        end = place + 8 + int.from_bytes(found[place : place + 4], "big")
        if end + 4 > len(found):
            break
        found[end : end + 4] = zlib.crc32(found[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return bytes(found)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of corrupt tags, which do no harm
@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "LA"), ("WEBP", "RGB"), ("BMP", "RGB")]
)
def test_only_image_errors_leave(kind: str, mode: str) -> None:
    data = encoded(smooth_picture().convert(mode), kind, **({} if kind == "BMP" else {"exif": exif(6)}))
    random = np.random.default_rng(0)
    outcomes = set()
    for _ in range(300):
        spoiled = bytearray(data)
        for place in random.integers(4, min(len(data), 400), size=3):
            spoiled[place] = random.integers(256)
        try:
            content = with_checksums(bytes(spoiled)) if kind == "PNG" else bytes(spoiled)
            frame_rgb = decode_bytes(content, max_pixels=1_000_000)
            assert frame_rgb.dtype == np.uint8 and frame_rgb.ndim == 3 and frame_rgb.shape[2] == 3
            outcomes.add("read")
        except ImageError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
