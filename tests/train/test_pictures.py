"""Collections of real pictures: labels, splits, and what is wrong with them."""

import dataclasses
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.errors import DataError
from edge_app.labels import FASHION, LIVE
from train.paths import Paths, digests_of
from train.pictures import PHOTOS, PRODUCTS, SHOES, Collection, Layout, Picture, find_collection, read_table

ROWS = ["image,label,sender_id,split", "a,Hoodie,7,train", "b,Shoes,8,val", "c,Hat,8,val", "d,Bag,,train"]


def table(*rows: str) -> list[Picture]:
    return read_table("\r\n".join(rows).encode(), PHOTOS, "photos.csv")


def test_rows_become_pictures() -> None:
    assert table(*ROWS) == [
        Picture("a", ("Pullover",), "7", "train"),
        Picture("b", ("Sandal", "Sneaker", "Ankle boot"), "8", "val"),
        Picture("c", ("none",), "8", "val"),
        Picture("d", ("Bag",), "", "train"),
    ]
    assert [picture.is_garment for picture in table(*ROWS)] == [True, True, False, True]
    assert read_table("\ufeffimage, label,sender_id ,split\na,Hat, ,val ".encode(), PHOTOS, "p") == [
        Picture("a", ("none",), "", "val")
    ]
    products = b"image,article_type,gender,base_colour,split\n7,Rain Jacket,Men,Red,val\n8,Kurtas,Women,Blue,train\n"
    assert read_table(products, PRODUCTS, "p") == [
        Picture("7", ("Coat",), "", "val"),
        Picture("8", ("none",), "", "train"),
    ]


@pytest.mark.parametrize("layout", [PHOTOS, PRODUCTS])
def test_each_class_stands_for_itself(layout: Layout) -> None:
    rows = [f"image,{layout.label_column},sender_id,split"]
    rows += [f"{number},{name},7,train" for number, name in enumerate(LIVE)]
    pictures = read_table("\n".join(rows).encode(), layout, "own")
    assert [picture.classes for picture in pictures] == [(name,) for name in LIVE]


def test_a_known_shoe_counts_in_training_only() -> None:
    layout = dataclasses.replace(PHOTOS, training_classes={"a": "Sandal", "b": "Sandal", "c": "Sandal"})
    rows = b"image,label,sender_id,split\na,Shoes,,train\nb,Shoes,,val\nc,Dress,,train\nd,Shoes,,train"
    classes = [picture.classes for picture in read_table(rows, layout, "photos.csv")]
    assert classes == [("Sandal",), SHOES, ("Dress",), SHOES]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["image,label,sender_id"], r"photos\.csv: no column split\. It needs image, label, sender_id, split"),
        (["image,label,Sender_ID,split"], r"photos\.csv: no column sender_id\. It needs .* sender_id may be blank"),
        ([], "no column image, label, sender_id, split"),
        ([*ROWS[:2], "b,Sock,8,val"], r"row 3: unknown label 'Sock'\. Known: Ankle boot, "),
        ([*ROWS[:2], "b"], "row 3: unknown label ''"),
        ([*ROWS, "e,Hat,9,test"], "row 6: split 'test', expected train or val"),
        ([*ROWS, "e,Hat,7,val"], "row 6: person 7 is in both splits"),
        ([*ROWS, "e,Hat, 7 ,val"], "row 6: person 7 is in both splits"),
        ([*ROWS, "a.jpg,Hat,,val"], r"row 6: a\.jpg has a row before this one"),
        ([*ROWS, "e.jpg,Hat,,val", "e,Hat,,val"], "row 7: e has a row before this one"),
        ([*ROWS, "a,Hat,,val"], "row 6: a has a row before this one"),
        ([ROWS[0], "../a,Hat,7,val"], r"row 2: '\.\./a' is no picture's name"),
        ([ROWS[0], '"a,Hat,7,val'], "not a CSV file"),
    ],
)
def test_wrong_tables_are_refused(rows: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(*rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of one red picture of 3x2 pixels."""
    (tmp_path / "photos" / "images").mkdir(parents=True)
    (tmp_path / "photos" / "photos.csv").write_text("\n".join(ROWS[:2]))
    red_bgr = np.full((2, 3, 3), (0, 0, 255), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "photos" / "images" / "a.jpg"), red_bgr)
    return tmp_path / "photos"


def test_folder_and_archive_give_the_same(folder: Path) -> None:
    assert find_collection(folder.parent, PRODUCTS) is None
    assert find_collection(folder.parent, PHOTOS) == folder
    archive = Path(shutil.make_archive(str(folder), "zip", folder))
    assert find_collection(folder.parent, PHOTOS) == archive
    for path in (folder, archive):
        with Collection(path, PHOTOS) as collection:
            (picture,) = collection.pictures
            frame_rgb = collection.frame(picture)
            assert frame_rgb.shape == (2, 3, 3)
            assert frame_rgb[0, 0].tolist() == pytest.approx([255, 0, 0], abs=2)


def test_names_as_cameras_give_them(folder: Path) -> None:
    images = folder / "images"
    (images / "a.jpg").rename(images / "IMG_1.JPG")
    (images / "IMG_2.HEIC").write_bytes(b"....ftypheic")
    (folder / "photos.csv").write_text(
        "\n".join([ROWS[0], *(f"{name},Dress,,train" for name in ("IMG_1", "IMG_2.HEIC"))])
    )
    for path in (folder, Path(shutil.make_archive(str(folder), "zip", folder))):
        with Collection(path, PHOTOS) as collection:
            first, second = collection.pictures
            assert collection.frame(first).shape == (2, 3, 3)
            with pytest.raises(DataError, match=r"images/IMG_2\.HEIC: .*not a JPEG, PNG, WebP or BMP picture"):
                collection.frame(second)


def test_damaged_collections_are_refused(folder: Path) -> None:
    with Collection(folder, PHOTOS) as collection:
        picture = collection.pictures[0]
        (folder / "images" / "a.jpg").write_bytes(b"no picture")
        with pytest.raises(DataError, match=r"images/a\.jpg: .* take its row out of the table"):
            collection.frame(picture)
        (folder / "images" / "a.jpg").unlink()
        with pytest.raises(DataError, match=r"images/a\.jpg"):
            collection.frame(picture)
    archive = Path(shutil.make_archive(str(folder), "zip", folder))
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(DataError, match="not a zip archive or folder with"):
        Collection(archive, PHOTOS)
    with zipfile.ZipFile(archive, "w"), pytest.raises(DataError, match="not a zip archive or folder with"):
        Collection(folder.parent / "nowhere", PHOTOS)


@pytest.mark.parametrize(
    ("method", "is_cut_short"),
    [
        (zipfile.ZIP_STORED, True),
        (zipfile.ZIP_STORED, False),
        (zipfile.ZIP_DEFLATED, False),
        (zipfile.ZIP_BZIP2, False),
        (zipfile.ZIP_LZMA, False),
    ],
)
def test_an_archive_that_is_damaged_within_is_refused(folder: Path, method: int, is_cut_short: bool) -> None:
    """Its list of contents is there; a picture is shorter than that says, or has other bytes."""
    archive = folder.parent / "photos.zip"
    with zipfile.ZipFile(archive, "w", method) as file:
        file.write(folder / "photos.csv", "photos.csv")
        file.write(folder / "images" / "a.jpg", "images/a.jpg")
        entry = file.getinfo("images/a.jpg")
        if is_cut_short:
            entry.compress_size, entry.file_size = 9000, 9000
    if not is_cut_short:
        content = bytearray(archive.read_bytes())
        start = entry.header_offset + 30 + len(entry.filename) + 20  # its header, and what the method begins with
        content[start : start + 100] = bytes(100)
        archive.write_bytes(content)
    with Collection(archive, PHOTOS) as collection:
        (picture,) = collection.pictures
        with pytest.raises(
            DataError, match=r"photos\.zip: its images/a\.jpg cannot be read \(.+\)\. Fetch the collection"
        ):
            collection.frame(picture)


def test_an_archive_of_a_folder_as_a_whole_says_so(folder: Path) -> None:
    archive = Path(shutil.make_archive(str(folder.parent / "mine"), "zip", folder.parent, "photos"))
    for path, remedy in ((archive, "Pack what that holds"), (folder.parent, f"Name {folder}")):
        with pytest.raises(DataError, match=rf"photos\.csv is in its folder photos\. {remedy}"):
            Collection(path, PHOTOS)
        with pytest.raises(DataError, match=rf"photos\.csv is in its folder photos\. {remedy}"):
            digests_of(Paths((path,), ()))


def test_the_real_collections(data_dir: Path) -> None:
    for layout, counts in ((PHOTOS, {"train": 3472, "val": 700}), (PRODUCTS, {"train": 19_162, "val": 2401})):
        path = find_collection(data_dir, layout)
        assert path is not None
        with Collection(path, layout) as collection:
            pictures = collection.pictures
            assert {split: sum(p.split == split for p in pictures) for split in counts} == counts
            assert collection.frame(pictures[0]).ndim == 3
        held = {name for picture in pictures if picture.is_garment for name in picture.classes}
        assert set(FASHION) - held == ({"Bag"} if layout is PHOTOS else {"Ankle boot"})
        if layout is PHOTOS:
            val = [picture for picture in pictures if picture.split == "val"]
            assert sum(picture.is_garment for picture in val) == 594
            assert len({picture.person for picture in val}) == 77
            assert sum(picture.classes == SHOES for picture in val) == 42
            shoes = Counter(p.classes for p in pictures if p.split == "train" and set(p.classes) <= set(SHOES))
            assert shoes == {("Sandal",): 72, ("Sneaker",): 61, ("Ankle boot",): 31, SHOES: 32}
