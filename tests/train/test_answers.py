"""Learning from what converted models say to views that they see in their own way."""

import csv
import dataclasses
import json
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from filelock import FileLock

from edge_app import Classifier
from edge_app.errors import RunError
from edge_app.labels import LIVE
from edge_app.preprocess import frame_to_input
from train.answers import (
    PUPIL,
    VIEW_SIDE,
    Answering,
    Rounds,
    answer,
    answered_phases,
    answered_rounds,
    fashion_rounds,
    folder_of,
    known,
    mixed,
    moved,
    train_answered,
)
from train.data import FashionMnist, Split
from train.fit import Examples, apart
from train.live import Lessons
from train.losses import answered, answered_accuracy, cross_entropy, taught
from train.mixture import Part, target, with_masks
from train.paths import Paths
from train.recipes import ANSWERING, Config, Teaching, article, live
from train.run import Inputs, run
from train.source import load_source
from train.staff import load_staff
from train.team import Team

MODELS = Path(__file__).parents[2] / "assets" / "models"
STUDENT = np.log(np.array([[0.5, 0.25, 0.25]], np.float32))
TEACHER = np.log(np.array([[0.25, 0.5, 0.25]], np.float32))
RIGHT = np.array([[1, 0, 0]], np.float32)


def test_name_and_answer_are_learned_where_there_are_any() -> None:
    loss = answered(0.1, 0.25, 2.0)
    both = np.stack([STUDENT, TEACHER], axis=1)
    of_both = np.asarray(taught(0.1, 0.25, 2.0)(RIGHT, both))
    assert np.asarray(loss(known(RIGHT, TEACHER), STUDENT)) == pytest.approx(of_both, rel=1e-6)
    own = np.asarray(cross_entropy(0.1)(RIGHT, STUDENT))
    assert np.asarray(loss(known(RIGHT), STUDENT)) == pytest.approx(own, rel=1e-6)
    nameless = np.asarray(loss(known(np.zeros_like(RIGHT), TEACHER), STUDENT))
    assert nameless == pytest.approx(of_both - 0.75 * own, rel=1e-5)


def test_where_nothing_is_right_what_the_teachers_say_is() -> None:
    rows = np.concatenate([known(RIGHT, TEACHER), known(RIGHT), known(np.zeros_like(RIGHT), TEACHER)])
    assert np.asarray(answered_accuracy(rows, np.tile(STUDENT, (3, 1)))).tolist() == [1, 1, 0]
    assert np.asarray(answered_accuracy(rows, np.tile(TEACHER, (3, 1)))).tolist() == [0, 0, 1]


def test_each_sees_the_same_view_in_its_own_way() -> None:
    teacher = Classifier.load("cnn4")
    views = np.random.default_rng(1).integers(0, 256, (3, VIEW_SIDE, VIEW_SIDE, 3), dtype=np.uint8)
    pixels, answers = answer(views, [teacher])
    assert np.array_equal(pixels, np.stack([frame_to_input(view, PUPIL) for view in views]))
    assert np.array_equal(answers, teacher.logits(pixels))  # it sees what a pupil sees
    large = Classifier.load("vgg19")
    _, both = answer(views, [teacher, large])
    assert both == pytest.approx((answers + large.logits(views)) / 2, abs=1e-5)


def test_two_views_in_one() -> None:
    views = np.array([[40] * 4, [240] * 4, [40] * 4, [240] * 4] * 4, np.uint8).reshape(16, 2, 2, 1)
    found = mixed(views, np.random.default_rng(1))
    assert found.shape == (4, 2, 2, 1)
    assert set(np.ptp(found, axis=(1, 2, 3))) == {0}
    assert found.min() >= 40 and found.max() <= 240
    between = [value for value in found[:, 0, 0, 0] if value not in (40, 240)]
    assert between and all(90 <= value <= 190 for value in between)


def test_rounds_follow_one_another() -> None:
    rounds = [Examples(np.full((4, 1), value, np.uint8), np.eye(4, dtype=np.float32)) for value in (1, 2)]
    batches = Rounds(rounds, 4, seed=1, epoch=0, pixels=0)
    seen = []
    for _ in range(3):
        seen.append(int(batches[0][0][0, 0]))
        batches.on_epoch_end()
    assert seen == [1, 2, 1]
    assert int(Rounds(rounds, 4, seed=1, epoch=3, pixels=0)[0][0][0, 0]) == 2


def test_views_are_mirrored_and_moved_by_a_pixel_at_most() -> None:
    view = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)
    found = {
        tuple(one.ravel().tolist())
        for one in moved(np.tile(view[..., None], (500, 1, 1, 1)), 1, np.random.default_rng(1))
    }
    down_and_left = (2, 3, 3, 2, 3, 3, 5, 6, 6)  # the edges repeated
    mirrored_up = (6, 5, 4, 9, 8, 7, 9, 8, 7)
    assert len(found) == 18
    assert {tuple(view.ravel().tolist()), down_and_left, mirrored_up} <= found


def test_only_what_was_answered_is_moved() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
    names = np.eye(11, dtype=np.float32)[np.arange(40) % 11]
    examples = Examples(pixels, np.concatenate([known(names[:20], names[:20]), known(names[20:])]))
    batches = Rounds([examples], 40, seed=1, epoch=5, pixels=1)
    found, targets = batches[0]
    is_same = (found == pixels[batches.order]).all(axis=(1, 2, 3))
    is_answered = ~np.isnan(targets[:, 1, 0])
    assert is_same[~is_answered].all() and is_same[is_answered].sum() < 5  # one of 18 stays where it was
    assert np.array_equal(Rounds([examples], 40, seed=1, epoch=5, pixels=1)[0][0], found)
    other, _ = Rounds([examples], 40, seed=1, epoch=6, pixels=1)[0]
    assert not np.array_equal(np.sort(other, axis=0), np.sort(found, axis=0))
    still = Rounds([examples], 40, seed=1, epoch=5, pixels=0)
    assert np.array_equal(still[0][0], pixels[still.order])


@pytest.mark.parametrize(
    ("dropout", "expected"),
    [
        (None, [(40, 0, 1), (48, 0, 2)]),
        (28, [(28, 0, 1), (40, 1, 1), (48, 1, 2)]),
        (44, [(40, 0, 1), (44, 0, 2), (48, 1, 2)]),
        (0, [(40, 1, 1), (48, 1, 2)]),
        (90, [(40, 0, 1), (48, 0, 2)]),
    ],
)
def test_views_move_where_dropout_has_ended(dropout: int | None, expected: list[tuple[int, int, int]]) -> None:
    recipe = dataclasses.replace(live("cnn3", on_gpu=False), teaching=ANSWERING, dropout_epochs=dropout)
    changed, final = ([Examples(np.full((1, 2, 2, 1), value, np.uint8), known(RIGHT))] for value in (1, 2))
    phases = answered_phases(recipe, changed, final, seed=1)
    found = [(phase.end, phase.batches(3)) for phase in phases]
    assert [(end, batches.pixels, int(batches[0][0].max())) for end, batches in found] == expected
    assert apart(phases, dropout) == phases  # dropout ends where one of them does


def config(epochs: int = 1, final_epochs: int = 1, views: int = 2) -> Config:
    recipe = live("cnn1", on_gpu=False)
    assert recipe.mixture is not None
    few = dataclasses.replace(recipe.mixture, fashion=6, pasted=4, products=4, nothing=4, photo_repeats=2)
    teaching = dataclasses.replace(ANSWERING, views=views)
    short = dataclasses.replace(
        recipe, augmented_epochs=epochs, final_epochs=final_epochs, batch_size=8, mixture=few, teaching=teaching
    )
    return Config("cnn1", short, 1, 28, {}, ("cnn4",))


def test_answers_are_kept_and_what_is_missing_is_made_again(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    pictures = with_masks(random.integers(0, 256, (8, VIEW_SIDE, VIEW_SIDE, 3), dtype=np.uint8))
    targets = np.tile(target(("Bag",)), (8, 1))
    backgrounds = random.integers(0, 256, (3, VIEW_SIDE, VIEW_SIDE, 3), dtype=np.uint8)
    world = Lessons([Part(pictures, targets, 16)], backgrounds, Examples(pictures, targets), batch_size=8, seed=1)
    teacher = Classifier.load("cnn4")
    first = answered_rounds(config(), world, [teacher], tmp_path)
    assert len(first) == 2 and not np.array_equal(first[0].inputs, first[1].inputs)
    assert first[0].inputs.shape == (20, 28, 28, 1) and first[0].targets.shape == (20, 2, 11)
    named = first[0].targets[:, 0].any(axis=1)
    assert named.tolist() == ([True] * 8 + [False] * 2) * 2  # two of each batch of ten are two views in one
    assert np.array_equal(first[0].targets[:, 1], teacher.logits(np.asarray(first[0].inputs, np.uint8)))
    (tmp_path / "01-0001.npz").unlink()
    again = answered_rounds(config(), world, [teacher], tmp_path)
    assert all(np.array_equal(a.inputs, b.inputs) for a, b in zip(first, again, strict=True))
    assert all(np.array_equal(a.targets, b.targets) for a, b in zip(first, again, strict=True))
    (tmp_path / "00-0000.npz").write_bytes(b"damaged")
    with pytest.raises(RunError, match=r"00-0000\.npz: damaged .* Delete it, and it is made again"):
        answered_rounds(config(), world, [teacher], tmp_path)


def images(count: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    return Split(random.integers(0, 256, (count, 28, 28), dtype=np.uint8), (np.arange(count) % 10).astype(np.uint8))


DATA = FashionMnist(images(40, 1), images(20, 2), images(20, 3), {})


def test_fashion_mnist_is_other_images_each_time_and_at_last_as_it_is() -> None:
    changed = fashion_rounds(config(), DATA, 6, as_they_are=False)
    still = fashion_rounds(config(), DATA, 6, as_they_are=True)
    originals = {image.tobytes() for image in DATA.train.images}
    assert all(image.tobytes() in originals for examples in still for image in examples.inputs)
    assert not any(image.tobytes() in originals for examples in changed for image in examples.inputs)
    assert not np.array_equal(still[0].inputs, still[1].inputs)
    assert np.array_equal(still[0].targets[:, 0], changed[0].targets[:, 0])
    assert np.isnan(still[0].targets[:, 1]).all()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Six photos and six products, of noise."""
    random = np.random.default_rng(1)
    for name, column, labels in (
        ("photos", "label", ("Hoodie", "Hat")),
        ("products", "article_type", ("Shirts", "Caps")),
    ):
        (tmp_path / name / "images").mkdir(parents=True)
        rows = [f"image,{column},sender_id,split"]
        for number in range(6):
            picture = random.integers(0, 256, (40, 30, 3), dtype=np.uint8)
            assert cv2.imwrite(str(tmp_path / name / "images" / f"{number}.jpg"), picture)
            rows.append(f"{number},{labels[number % 2]},,{'train' if number < 4 else 'val'}")
        (tmp_path / name / f"{name}.csv").write_text("\n".join(rows))
    return Paths((tmp_path / "photos",), (tmp_path / "products",))


def named_of(answers: Path) -> int:
    """How many of the first epoch's kept views have a right name."""
    return sum(int(np.load(file)["known"][:, 0].any(axis=1).sum()) for file in answers.rglob("00-*.npz"))


def test_a_run_learns_from_answers_and_goes_on_with_them(paths: Paths, tmp_path: Path) -> None:
    teachers = (Classifier.load("cnn4"),)
    keras.utils.set_random_seed(1)
    whole = train_answered(config(2), DATA, Answering(teachers, paths), tmp_path / "whole")
    assert [row["epoch"] for row in whole.history] == [1, 2, 3]
    assert whole.views is not None
    originals = {image.tobytes() for image in DATA.train.images}
    settling = whole.views().astype(np.uint8)
    assert sum(image.tobytes() in originals for image in settling) == 6  # Fashion-MNIST comes last as it is
    assert len(settling) == 6 + named_of(tmp_path / "answers")
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "answers").rglob("*.npz")}
    inputs = Inputs(DATA, paths=paths, answering=teachers)
    result = run(config(2), inputs, tmp_path / "run")
    with (tmp_path / "run" / "history.csv").open(newline="") as file:
        again = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert [row | {"seconds": 0.0} for row in again] == [row | {"seconds": 0.0} for row in whole.history]
    assert result["best_epoch"] in (1, 2, 3) and set(result["pictures"]) == {"photos", "products"}
    assert [folder.name for folder in (tmp_path / "answers").iterdir()] == [folder_of(config(), tmp_path / "run").name]
    assert folder_of(config(), tmp_path / "cnn3") == folder_of(config(9), tmp_path / "cnn1")  # other pupils
    started = dataclasses.replace(config(), data={"start cnn1-live": "12"}, start="cnn1-live")
    assert folder_of(started, tmp_path / "run") == folder_of(config(), tmp_path / "run")
    mixture = config().recipe.mixture
    assert mixture is not None
    more_fashion, more_pasted = dataclasses.replace(mixture, fashion=7), dataclasses.replace(mixture, pasted=5)
    for other, is_asked in ((more_fashion, False), (more_pasted, True)):  # the first has labels alone
        changed = dataclasses.replace(config().recipe, mixture=other)
        found = folder_of(dataclasses.replace(config(), recipe=changed), tmp_path / "run")
        assert (found != folder_of(config(), tmp_path / "run")) == is_asked
    asked = dataclasses.replace(config(), data={"teacher cnn4": "00"})
    assert folder_of(asked, tmp_path / "run") != folder_of(config(), tmp_path / "run")
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "answers").rglob("*.npz")}
    lock = FileLock(folder_of(config(), tmp_path / "run") / ".lock")
    with lock, pytest.raises(RunError, match="another process asks the same"):
        train_answered(config(), DATA, Answering(teachers, paths), tmp_path / "other")
    config_json = json.loads((tmp_path / "run" / "config.json").read_text())
    assert Config.from_json(config_json) == config(2)
    assert config_json["recipe"]["teaching"] == {"weight": 0.7, "temperature": 2.0, "views": 2, "moved": 1}


def test_networks_of_other_classes_neither_teach_nor_begin_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a class was added."""
    more = (*LIVE[:-1], "Scarf", LIVE[-1])
    monkeypatch.setattr("train.staff.LIVE", more)
    monkeypatch.setattr("train.source.LIVE", more)
    words = r"has learned other classes than edge_app/labels\.py lists: they differ by Scarf\. Train one for these"
    with pytest.raises(RunError, match=rf"vgg19\.tflite {words}"):
        load_staff([MODELS / "vgg19.tflite"], live("cnn4", on_gpu=False), (28, 28, 1), 1)
    with pytest.raises(RunError, match=rf"cnn4\.weights\.h5 {words}"):
        load_source(MODELS.parent / "checkpoints" / "cnn4.weights.h5")
    load_source(MODELS.parent / "checkpoints" / "cnn4-fashion-mnist.weights.h5")  # Fashion-MNIST keeps its ten


def test_who_may_teach() -> None:
    recipe = live("cnn4", on_gpu=False)
    grey = (28, 28, 1)
    staff = load_staff([MODELS / "vgg19.tflite"], recipe, grey, 1)
    assert staff.names == ("vgg19",) and staff.networks == ()
    assert dict(staff.digests)["vgg19"] == staff.answering[0].contract.sha256
    assert staff.recipe(recipe, beforehand=True).teaching == Teaching(0.7, 2.0, views=4, moved=1)
    assert load_staff([], recipe, grey, 1).recipe(recipe, beforehand=True) == recipe
    checkpoint = MODELS.parent / "checkpoints" / "cnn4.weights.h5"
    with pytest.raises(RunError, match=r"runs and \.tflite files do not teach together"):
        load_staff([MODELS / "vgg19.tflite", checkpoint], recipe, grey, 1)
    with pytest.raises(RunError, match=r"cnn4-fashion-mnist\.tflite is not for camera frames"):
        load_staff([MODELS / "cnn4-fashion-mnist.tflite"], recipe, grey, 1)
    with pytest.raises(RunError, match="teachers need names of their own, not vgg19, vgg19"):
        load_staff([MODELS / "vgg19.tflite"] * 2, recipe, grey, 1)
    for path in (MODELS / "vgg19.tflite", checkpoint):
        with pytest.raises(RunError, match="was trained with seed 1, and so on images that with seed 2 are for valid"):
            load_staff([path], recipe, grey, 2)
    with pytest.raises(RunError, match=r"a \.tflite teaches on one machine"):
        load_staff([MODELS / "vgg19.tflite"], recipe, grey, 1, team=Team(2, 2))
    for other, shape in ((article("cnn4"), grey), (live("vgg19", on_gpu=True), (96, 96, 3))):
        with pytest.raises(RunError, match=r"vgg19\.tflite teaches CNNs by --recipe live only"):
            load_staff([MODELS / "vgg19.tflite"], other, shape, 1)
