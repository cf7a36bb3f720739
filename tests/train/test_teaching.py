"""Teachers and their student see the same views; what is learned is their soft answer."""

import dataclasses
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import train.source
from converters.checkpoint import keep_checkpoint
from edge_app.errors import RunError
from edge_app.models import assets_dir
from train.fit import Teachers, class_of
from train.losses import students_accuracy, taught
from train.models import build
from train.recipes import TEACHING, Config, article, live
from train.run import Inputs, run
from train.source import Source, checkpoint_of, load_source, require_same_lesson
from train.vgg19 import weights_digest

P_STUDENT, P_TEACHER = np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.5, 0.25])


def linear(seed: int) -> keras.Model:
    pixels = keras.Input((28, 28, 1))
    layer = keras.layers.Dense(10, kernel_initializer=keras.initializers.RandomNormal(seed=seed))
    return keras.Model(pixels, {"logits": layer(keras.layers.Flatten()(pixels))})


def test_teacher_and_student_see_identical_views() -> None:
    network = linear(1)
    student = keras.Model(network.input, network.output["logits"])
    augment = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.RandomTranslation(0.3, 0.3, seed=1)])
    lesson = class_of(student, augment, [network])
    pictures = np.random.default_rng(1).uniform(0, 255, (8, 28, 28, 1)).astype(np.float32)
    both = np.asarray(lesson(pictures, training=True))
    assert both.shape == (8, 2, 10)
    assert np.array_equal(both[:, 0], both[:, 1])
    assert not np.allclose(both[:, 0], np.asarray(student(pictures)))  # the views were changed


def test_teachers_never_train() -> None:
    dropping = build("cnn1")
    teachers = Teachers([dropping, dropping])
    pictures = np.random.default_rng(1).uniform(0, 255, (2, 28, 28, 1)).astype(np.float32)
    lesson = class_of(keras.Model(dropping.input, dropping.output["logits"]), None, [dropping])
    calm = np.asarray(dropping(pictures, training=False)["logits"])
    assert np.asarray(lesson(pictures, training=True))[:, 1] == pytest.approx(calm, abs=1e-4)
    assert np.asarray(teachers(pictures, training=True)) == pytest.approx(calm, abs=1e-4)
    assert teachers.trainable_variables == []


def test_the_teachers_answer_is_learned_by_weight_and_temperature() -> None:
    right = np.array([[1, 0, 0]], np.float32)
    both = np.log(np.stack([P_STUDENT, P_TEACHER])[np.newaxis]).astype(np.float32)
    own, distance = np.log(2), 0.25 * np.log(2) + 0.75 * np.log(4)
    assert np.asarray(taught(0.0, 0.25, 1.0)(right, both)) == pytest.approx([0.75 * own + 0.25 * distance], rel=1e-5)
    soft_student, soft_teacher = (np.sqrt(p) / np.sqrt(p).sum() for p in (P_STUDENT, P_TEACHER))
    softened = -4 * np.sum(soft_teacher * np.log(soft_student))  # T = 2: roots, and 2 squared
    assert np.asarray(taught(0.0, 1.0, 2.0)(right, both)) == pytest.approx([softened], rel=1e-5)
    assert np.asarray(students_accuracy(right, both)).tolist() == [1]
    assert np.asarray(students_accuracy(right, both[:, ::-1])).tolist() == [0]


def test_a_teacher_of_another_kind_is_refused() -> None:
    config = Config("cnn1", article("cnn1"), 1, 28, {})
    teacher = Source(config, {}, build("cnn1"), is_run=True)
    require_same_lesson([teacher], article("cnn3"), (28, 28, 1))
    with pytest.raises(RunError, match="cnn1-article cannot teach here"):
        require_same_lesson([teacher], live("cnn3", on_gpu=False), (28, 28, 1))


def test_a_taught_run_remembers_its_teachers(tmp_path: Path) -> None:
    from test_run import DATA, tiny_config

    taught_config = dataclasses.replace(
        tiny_config("cnn1", 28),
        recipe=dataclasses.replace(tiny_config("cnn1", 28).recipe, teaching=TEACHING),
        teachers=("cnn1-article",),
    )
    run(taught_config, Inputs(DATA, teachers=(build("cnn1"),)), tmp_path)
    assert load_source(tmp_path).config == taught_config


def test_a_kept_checkpoint_is_known_by_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train.source, "assets_dir", lambda: tmp_path)
    (tmp_path / "checkpoints").mkdir()
    kept = load_source(assets_dir() / "checkpoints" / "cnn1.weights.h5")
    keep_checkpoint(kept, tmp_path / "checkpoints")
    digest = weights_digest(kept.network)
    (tmp_path / "checkpoints" / "cnn1-damaged.weights.h5").write_bytes(b"")  # comes first, and hides nothing
    (tmp_path / "checkpoints" / "cnn1-damaged.json").write_text("{}")
    assert checkpoint_of("cnn1-live", digest) == "assets/checkpoints/cnn1.weights.h5"
    assert checkpoint_of("cnn1-live", digest[::-1]) is None
    assert checkpoint_of("cnn1-article", digest) is None


def test_weights_and_the_record_beside_them_belong_together(tmp_path: Path) -> None:
    shipped = assets_dir() / "checkpoints"
    for name in ("cnn1.weights.h5", "cnn1.json"):
        shutil.copy(shipped / name, tmp_path)
    load_source(tmp_path / "cnn1.weights.h5")
    other = load_source(shipped / "cnn1.weights.h5").network
    other.set_weights([weight * 0.5 for weight in other.get_weights()])
    other.save_weights(tmp_path / "cnn1.weights.h5")
    with pytest.raises(RunError, match="its weights are not those that the file beside it is of"):
        load_source(tmp_path / "cnn1.weights.h5")
