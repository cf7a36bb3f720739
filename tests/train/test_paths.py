"""Which collections there are, whose they are, and whether a network has learned from others."""

from pathlib import Path

import pytest

from edge_app import Classifier
from edge_app.errors import DataError
from train.paths import (
    Paths,
    began_elsewhere,
    digests_of,
    elsewhere,
    find_paths,
    gather_paths,
    others,
    others_ever,
    own_collections,
    warn_of_others,
)
from train.pictures import PHOTOS, PRODUCTS

HEADER = "image,label,sender_id,split"


def collection(folder: Path, *rows: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "photos.csv").write_text("\n".join([HEADER, *rows]))
    return folder


def test_an_own_collection_never_has_a_published_ones_name(tmp_path: Path) -> None:
    places = ["data/photos.zip", "mine/photos.zip", "mine/products.zip", "photos/photos.csv"]
    for number, place in enumerate(places):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(bytes([number]))
    own = [tmp_path / "mine/photos.zip", tmp_path / "photos"], [tmp_path / "mine/products.zip"]
    alone = list(digests_of(gather_paths(None, *own)))
    assert alone == ["mine/photos.zip", f"{tmp_path.name}/photos/photos.csv", "mine/products.zip"]
    assert own_collections(alone) == alone
    together = digests_of(find_paths(tmp_path / "data", *own))
    assert list(together) == ["photos.zip", *alone]
    assert own_collections(together) == alone


def test_archives_are_known_by_their_ending(tmp_path: Path) -> None:
    for name in ("mine.ZIP", "mine.dat"):
        (tmp_path / name).write_bytes(name.encode())
    assert own_collections(digests_of(gather_paths(None, [tmp_path / "mine.ZIP"], []))) == ["mine.ZIP"]
    with pytest.raises(DataError, match=r"mine\.dat: neither a folder nor called \.zip"):
        digests_of(gather_paths(None, [tmp_path / "mine.dat"], []))


def test_the_same_collection_twice_is_refused(tmp_path: Path) -> None:
    for place in ("data/photos.zip", "mine/photos.zip"):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_bytes(b"the same")
    with pytest.raises(DataError, match=r"mine/photos\.zip: the same as another collection"):
        digests_of(gather_paths(tmp_path / "data", [tmp_path / "mine/photos.zip"], []))


def test_a_folders_pictures_count_in_its_digest(tmp_path: Path) -> None:
    """A picture that was taken anew under its old name makes another collection."""
    folder = collection(tmp_path / "mine", "a,Dress,7,train")
    (folder / "images").mkdir()
    (folder / "images" / "a.jpg").write_bytes(b"blurred")
    before = digests_of(gather_paths(None, [folder], []))
    (folder / "images" / "._a.jpg").write_bytes(b"of macOS")
    (folder / "images" / "Thumbs.db").write_bytes(b"of Windows")
    (folder / "images" / "@eaDir.jpg").mkdir()  # of a NAS
    assert digests_of(gather_paths(None, [folder], [])) == before
    (folder / "images" / "a.jpg").write_bytes(b"sharp")
    after = digests_of(gather_paths(None, [folder], []))
    assert after.keys() == before.keys() and after != before


def test_a_person_is_in_one_split_of_all_collections(tmp_path: Path) -> None:
    first = collection(tmp_path / "first", "a,Dress,7,train", "b,Dress,,train")
    fine = collection(tmp_path / "fine", "a,Dress,8,val", "b,Dress,,val")  # nobody is known to be the same
    with Paths((first, fine), ()).opened() as found:
        assert [len(each.pictures) for each in found[PHOTOS]] == [2, 2]
    second = collection(tmp_path / "second", "c,Dress,7,val")
    message = r"second: person 7 is in its split val and in the split train of .*first\. Put all"
    with pytest.raises(DataError, match=message), Paths((first, second), ()).opened():
        pass


def test_others_are_known_by_their_digests() -> None:
    learned = {"photos.zip": "1", "products.zip": "2", "mine/photos.csv": "3"}
    assert others(learned, learned) == {}
    assert others(learned, {"photos/photos.csv": "4", "products.zip": "2", "mine/photos.csv": "3"}) == {"photos": "1"}
    assert others(learned, {"photos.zip": "4", "products.zip": "5"}) == {"photos": "1", "products": "2"}
    assert others({"train-images": "6"}, learned) == others(learned, {"photos.zip": "1"}) == {}

    changed = learned | {"mine/photos.csv": "5"}  # its split, perhaps
    assert others(learned, changed) == others_ever(learned, changed) == {"own pictures": "3"}
    assert others({"photos.zip": "1"}, changed) == {}
    assert others(learned, {"mine/photos.csv": "3"}) == {}  # of the others nothing is known, or asked
    mine = {"copy/photos.csv": "7"}  # of published ones, perhaps, split otherwise
    assert others({"photos.zip": "1"}, mine) == others_ever({"photos.zip": "1"}, mine) == {"photos": "1"}
    assert others({"photos.zip": "1"}, mine | {"elsewhere/photos.zip": "1"}) == {}
    assert others(learned, {"photos.zip": "1", "mine/photos.csv": "3"} | mine) == {}  # no products are asked about
    for name in ("copy/products.csv", "copy/products.zip", "clothes.zip"):
        assert others(learned, {"photos.zip": "1", "mine/photos.csv": "3", name: "7"}) == {"products": "2"}
    assert others(learned, learned | {"new/photos.csv": "6"}) == {}  # one more, and nothing is missing
    assert others(learned, {"elsewhere/photos.zip": "1", "mine/photos.csv": "3"}) == {}  # named as if it was one's own
    again = changed | elsewhere("cnn4-live", learned, changed)
    assert began_elsewhere(again, "cnn4-live") and others(again, changed) == {}
    assert others_ever(again, changed) == {"own pictures": "3"} and others_ever(again, {"photos.zip": "1"}) == {}

    kept = elsewhere("cnn4-live", learned, {"photos.zip": "4"})
    assert kept == {"start cnn4-live, photos": "1"}
    assert began_elsewhere(kept, "cnn4-live") and not began_elsewhere(kept, "cnn1-live")
    assert not began_elsewhere({"start cnn4-live": "7"}, "cnn4-live")
    assert own_collections(kept) == []

    second = {"photos.zip": "4", "products.zip": "2"} | kept  # what began with it, and what begins with that
    assert others(second, {"photos.zip": "4"}) == {}
    assert others_ever(second, {"photos.zip": "4"}) == {"photos": "1"}
    assert elsewhere("cnn4-live", second, {"photos.zip": "4"}) == kept
    assert others_ever(second, {"photos.zip": "1"}) == {"photos": "4"}
    assert others_ever(second, {"photos.zip": "4", "copy/photos.csv": "7"}) == {"photos": "1"}


def test_a_model_that_is_judged_by_what_it_may_know_is_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("photos.zip", "products.zip"):
        (tmp_path / name).write_bytes(name.encode())
    contracts = [Classifier.load(name).contract for name in ("cnn4", "cnn4-fashion-mnist")]
    warn_of_others(contracts, {PHOTOS: tmp_path / "photos.zip", PRODUCTS: tmp_path / "products.zip"})
    told = capsys.readouterr().err
    assert told.startswith("cnn4 has learned from other photos and products than these") and told.count("\n") == 1
