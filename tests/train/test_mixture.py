"""The mixture a live model is trained on: masks, shares, labels, and who is in it."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge_app.errors import DataError
from edge_app.preprocess import images_to_input
from train.data import Split
from train.mixture import (
    MixedBatches,
    Part,
    enlarge,
    fashion_part,
    load,
    margin_patches,
    nothing_part,
    outline_mask,
    pasted_part,
    product_part,
    spec_of,
    target,
    texture,
    with_masks,
)
from train.pictures import PHOTOS, Collection

UInt8 = npt.NDArray[np.uint8]
GREY_8 = spec_of(8, 1)


def test_target_has_one_for_every_right_class() -> None:
    assert target(("Dress",)).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert target(("Sandal", "Sneaker", "Ankle boot")).tolist() == [0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0]
    assert target(("none",)).tolist() == [0] * 10 + [1]


def ring() -> UInt8:
    """A 5x5 image of a garment, 3x3, with a hole."""
    image = np.zeros((5, 5), np.uint8)
    image[1:4, 1:4] = 200
    image[2, 2] = 0
    return image


def test_a_mask_covers_the_garment_and_its_holes() -> None:
    expected = np.zeros((5, 5), np.uint8)
    expected[1:4, 1:4] = 255
    assert outline_mask(ring() > 12).tolist() == expected.tolist()


def test_garments_are_cut_out_as_they_are_and_negated() -> None:
    full = np.full((1, 28, 28), 200, np.uint8)
    full[:, 8:20, 8:20] = 0  # a hole
    part = pasted_part(Split(full, np.array([8], np.uint8)), 5)
    assert part.count == 5
    assert part.pictures.shape == (2, 28, 28, 2)
    covered = np.zeros((28, 28), np.uint8)
    covered[3:25, 3:25] = 255  # 22 pixels, and a margin of 3
    assert part.pictures[..., 1].tolist() == [covered.tolist()] * 2
    garment, negated = part.pictures[..., 0]
    assert (garment[3, 3], garment[14, 14], garment[0, 0]) == (200, 0, 0)
    assert (negated[3, 3], negated[14, 14]) == (55, 255)
    assert part.targets.argmax(axis=1).tolist() == [8, 8]


def test_products_come_whole_and_cut_out() -> None:
    part = product_part(255 - ring()[np.newaxis, ..., np.newaxis], target(("Bag",))[np.newaxis], 1)
    assert part.pictures[0, ..., 1].tolist() == [[255] * 5] * 5
    assert part.pictures[1, 2, :, 1].tolist() == [0, 255, 255, 255, 0]


def test_doubling_repeats_pixels() -> None:
    small = with_masks(np.array([[1, 2], [3, 4]], np.uint8)[np.newaxis, ..., np.newaxis])
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert enlarge(small, 4, 1)[0, ..., 0].tolist() == expected
    coloured = enlarge(small, 4, 3)
    assert coloured.shape == (1, 4, 4, 4)
    assert [coloured[0, ..., channel].tolist() for channel in range(3)] == [expected] * 3
    assert (coloured[..., 3] == 255).all()


def test_a_colour_model_sees_fashion_mnist_as_it_is_judged_on_it() -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    part = fashion_part(Split(images, np.array([0, 1], np.uint8)), 2)
    assert np.array_equal(enlarge(part.pictures, 96, 3)[..., :3], images_to_input(images, (96, 96, 3)))


def test_patches_are_from_the_margin() -> None:
    frame_rgb = np.full((100, 80, 3), 200, np.uint8)
    frame_rgb[34:66, 33:47] = 0  # a patch is at most 28 long, and its far side at most 6 from the edge
    patches = margin_patches(frame_rgb, GREY_8, np.random.default_rng(1))
    assert len(patches) == 2
    assert all(patch.shape == (8, 8, 1) and (patch == 200).all() for patch in patches)


def test_textures_have_all_kinds() -> None:
    random = np.random.default_rng(1)
    textures = [texture(8, random) for _ in range(60)]
    assert all(image.shape == (8, 8) and image.dtype == np.uint8 for image in textures)
    blank = [int(image[0, 0]) for image in textures if np.ptp(image) == 0]
    assert 0 in blank and 255 in blank and len(blank) < 40
    part = nothing_part(np.zeros((9, 8, 8, 3), np.uint8), 4, random)
    assert part.pictures.shape == (12, 8, 8, 4)
    assert (part.targets.argmax(axis=1) == 10).all()


def part_of(value: int, size: int, count: int, side: int = 4) -> Part:
    """Pictures that show their own number, from ``value``."""
    numbers = np.arange(value, value + size, dtype=np.uint8)
    pictures = np.broadcast_to(numbers[:, np.newaxis, np.newaxis, np.newaxis], (size, side, side, 2)).copy()
    return Part(pictures, np.tile(target(("Bag",)), (size, 1)), count)


def test_every_batch_has_the_parts_in_their_shares_and_order() -> None:
    backgrounds = np.full((3, 4, 4, 1), 7, np.uint8)
    batches = MixedBatches([part_of(0, 6, 12, side=2), part_of(100, 50, 4)], backgrounds, 8, seed=1, epoch=0)
    assert (len(batches), batches.shares) == (2, [6, 2])
    inputs, targets = batches[0]
    assert inputs.shape == (8, 4, 4, 3) and inputs.dtype == np.float32 and targets.shape == (8, 11)
    assert (inputs[..., 2] == 7).all()
    seen = [batches[index][0][:, 0, 0, 0] for index in range(2)]
    assert sorted(np.concatenate([numbers[:6] for numbers in seen])) == sorted([*range(6), *range(6)])
    assert all((numbers[6:] >= 100).all() for numbers in seen)


def test_what_is_drawn_depends_on_seed_and_epoch_alone() -> None:
    parts, backgrounds = [part_of(0, 40, 20)], np.arange(48, dtype=np.uint8).reshape(3, 4, 4, 1)

    def drawn(seed: int, epoch: int) -> npt.NDArray[np.float32]:
        return MixedBatches(parts, backgrounds, 10, seed, epoch)[1][0]

    going_on = MixedBatches(parts, backgrounds, 10, seed=1, epoch=0)
    going_on.on_epoch_end()
    assert np.array_equal(going_on[1][0], drawn(1, 1))
    assert not np.array_equal(drawn(1, 0), drawn(1, 1))
    assert not np.array_equal(drawn(1, 0), drawn(2, 0))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos of two people: grey values 210 and 225 to train on, 240 to validate with."""
    (tmp_path / "images").mkdir()
    rows = ["image,label,sender_id,split", "a,Hoodie,7,train", "b,Shoes,7,train", "c,Dress,8,val"]
    (tmp_path / "photos.csv").write_text("\n".join(rows))
    for name, value in (("a", 210), ("b", 225), ("c", 240)):
        assert cv2.imwrite(str(tmp_path / "images" / f"{name}.jpg"), np.full((9, 7, 3), value, np.uint8))
    return tmp_path


def test_a_split_holds_its_own_people_only(photos: Path) -> None:
    with Collection(photos, PHOTOS) as collection:
        train = load([collection], "train", spec_of(4, 1), seed=1, with_patches=True)
        val = load([collection], "val", spec_of(4, 1), seed=1)
    assert [row.name for row in train.rows] == ["a", "b"]
    assert train.pictures.shape == (2, 4, 4, 1) and train.patches.shape == (4, 4, 4, 1)
    assert train.pictures[:, 0, 0, 0].tolist() == pytest.approx([210, 225], abs=1)
    assert set(np.unique(train.patches)) <= {209, 210, 211, 224, 225, 226}
    assert train.targets.sum(axis=1).tolist() == [1, 3]
    assert [row.name for row in val.rows] == ["c"] and val.patches.shape == (0, 4, 4, 1)


def test_an_unreadable_picture_and_an_empty_split_are_told(photos: Path) -> None:
    (photos / "images" / "b.jpg").write_bytes(b"not a picture")
    with Collection(photos, PHOTOS) as collection, pytest.raises(DataError, match=r"images/b\.jpg"):
        load([collection], "train", spec_of(4, 1), seed=1)
    table = photos / "photos.csv"
    table.write_text(table.read_text().replace("val", "train"))
    with Collection(photos, PHOTOS) as collection, pytest.raises(DataError, match="no garment of the split val"):
        load([collection], "val", spec_of(4, 1), seed=1)


def test_a_split_without_a_garment_is_refused_before_it_is_learned(photos: Path) -> None:
    table = photos / "photos.csv"
    table.write_text(table.read_text().replace("Dress", "Hat"))
    with Collection(photos, PHOTOS) as collection, pytest.raises(DataError, match="no garment of the split val"):
        load([collection], "val", spec_of(4, 1), seed=1)


def test_few_patches_have_a_texture_beside_them() -> None:
    part = nothing_part(np.full((2, 4, 4, 1), 7, np.uint8), 3, np.random.default_rng(1))
    assert part.pictures.shape == (3, 4, 4, 2) and (part.pictures[:2, ..., 0] == 7).all()


def test_one_of_several_collections_may_lack_a_split(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    exported = tmp_path_factory.mktemp("exported")  # as the page exports it: all of one person, to train on
    shutil.copytree(photos / "images", exported / "images")
    (exported / "photos.csv").write_text("image,label,sender_id,split\na,Coat,me,train")
    with Collection(photos, PHOTOS) as published, Collection(exported, PHOTOS) as own:
        assert [len(load([published, own], split, spec_of(4, 1), 1).rows) for split in ("train", "val")] == [3, 1]


def test_no_person_is_in_both_splits_of_the_photos(data_dir: Path) -> None:
    with Collection(data_dir / "photos.zip", PHOTOS) as collection:
        train, val = ({row.person for row in collection.pictures if row.split == s} for s in ("train", "val"))
        assert len(val) == 77 and not train & val
        assert sum(row.split == "val" and row.is_garment for row in collection.pictures) == 594


def test_fashion_is_as_it_is() -> None:
    part = fashion_part(Split(ring()[np.newaxis], np.array([2], np.uint8)), 3)
    assert part.pictures[0, ..., 0].tolist() == ring().tolist() and (part.pictures[..., 1] == 255).all()
    assert part.targets.tolist() == [target(("Pullover",)).tolist()]
