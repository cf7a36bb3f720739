"""Learning Fashion-MNIST from what slow networks have said of a few epochs' views."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edge_app.errors import RunError
from train.__main__ import main
from train.data import one_hot
from train.devices import on_gpu
from train.fashion_answers import FOLDER, answered_fashion
from train.fit import Examples, fashion_phases
from train.models import WIDE, build
from train.recipes import ASKED_ONCE, TEACHING, Config, Teaching, article, best, live
from train.run import Inputs, run, train_cnn
from train.source import load_source
from train.staff import Staff

CHANGED = dataclasses.replace(
    best("cnn4", on_gpu=False), augmented_epochs=3, final_epochs=1, teaching=dataclasses.replace(ASKED_ONCE, views=2)
)


def examples(count: int) -> Examples:
    pixels = np.random.default_rng(1).integers(0, 256, (count, 28, 28, 1), dtype=np.uint8)
    return Examples(pixels, np.eye(10, dtype=np.float32)[np.arange(count) % 10])


def test_every_view_is_answered_once_and_seen_again(tmp_path: Path) -> None:
    config, train, teachers = Config("cnn4", CHANGED, 1, 28, {}), examples(30), [build("cnn1"), build("cnn3")]
    first, changed, final = answered_fashion(config, train, teachers, tmp_path)
    assert (first.end, changed.end, final.end) == (0, 3, 4)
    assert changed.augment is final.augment is None
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == ["00.npz", "01.npz", "as-they-are.npz"]
    seen = []
    for phase, epoch in ((changed, 0), (changed, 1), (final, 3)):
        batches = phase.batches(epoch)
        pixels, known = batches[0]
        assert np.array_equal(known[:, 0], train.targets[batches.order])
        logits = np.mean([network.predict(pixels, verbose=0)["logits"] for network in teachers], axis=0)
        assert known[:, 1] == pytest.approx(logits, abs=1e-3)
        seen.append(pixels[np.argsort(batches.order)])
    assert np.array_equal(seen[2], train.inputs)
    assert not np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])
    again = changed.batches(2)  # two rounds: the third epoch is the first round's
    assert np.array_equal(again[0][0][np.argsort(again.order)], seen[0])


def test_kept_answers_are_read_and_not_asked_for_again(tmp_path: Path) -> None:
    config, train = Config("cnn4", CHANGED, 1, 28, {}), examples(10)
    before = answered_fashion(config, train, [build("cnn1")], tmp_path)[1].batches(1)[0]
    after = answered_fashion(config, train, [build("cnn3")], tmp_path)[1].batches(1)[0]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    (tmp_path / FOLDER / "01.npz").write_bytes(b"half")
    with pytest.raises(RunError, match=r"01\.npz: damaged \(.*\)\. Delete it, and it is made again"):
        answered_fashion(config, train, [build("cnn1")], tmp_path)
    (tmp_path / FOLDER / "01.npz").unlink()
    anew = answered_fashion(config, train, [build("cnn1")], tmp_path)[1].batches(1)[0]
    assert np.array_equal(anew[0], before[0])  # the same views: a stopped run makes those that it lacks


def test_epochs_as_they_are_come_first_where_a_recipe_has_them(tmp_path: Path) -> None:
    recipe = dataclasses.replace(article("cnn4"), teaching=dataclasses.replace(ASKED_ONCE, views=2))
    train = examples(10)
    as_usual = fashion_phases(recipe, train, 1)
    phases = answered_fashion(Config("cnn4", recipe, 1, 28, {}), train, [build("cnn1")], tmp_path)
    assert [phase.end for phase in phases] == [phase.end for phase in as_usual] == [10, 60, 75]
    for phase, usual in zip(phases[::2], as_usual[::2], strict=True):
        assert np.array_equal(phase.batches(3)[0][0], usual.batches(3)[0][0])


def test_a_run_learns_from_kept_answers_what_was_answered(tmp_path: Path) -> None:
    from test_run import DATA

    said = dataclasses.replace(CHANGED, teaching=Teaching(1.0, 1.0, views=2), label_smoothing=0.0, batch_size=8)
    config = Config("cnn1", said, 1, 28, DATA.digests, ("wide-best",))
    always_bag = build("cnn1")
    kernel, bias = always_bag.get_layer("logits").get_weights()
    always_bag.get_layer("logits").set_weights([0 * kernel, np.where(np.arange(10) == 8, 20, bias)])
    result = run(config, Inputs(DATA, teachers=(always_bag,)), tmp_path)
    assert np.array(result["test"]["confusion"])[:, 8].sum() == 60  # it has heard of nothing but bags
    assert load_source(tmp_path).config == config
    trained = train_cnn(config, DATA, tmp_path, (always_bag,))
    assert trained.views is not None
    batches = fashion_phases(said, Examples(DATA.train.images[..., np.newaxis], one_hot(DATA.train.labels)), 1)[
        0
    ].batches(0)
    assert np.array_equal(trained.views(), np.concatenate([batches[index][0] for index in range(len(batches))]))


@pytest.mark.parametrize(
    ("name", "beforehand", "teaching"),
    [(WIDE, True, ASKED_ONCE), (WIDE, False, TEACHING), ("cnn4", True, TEACHING)],
)
def test_only_wide_is_asked_beforehand(name: str, beforehand: bool, teaching: Teaching) -> None:
    staff = Staff((build("cnn1"), build(name)), (), (("cnn1-best", "00"), (f"{name}-best", "01")))
    assert staff.recipe(best("cnn4", False), beforehand=beforehand).teaching == teaching
    assert staff.recipe(live("cnn4", False), beforehand=beforehand).teaching == TEACHING  # its views are drawn anew


@pytest.mark.skipif(on_gpu(), reason="a GPU asks its teachers in every step")
def test_the_command_has_wide_asked_once_in_its_pupils_precision(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from test_run import DATA

    recipe = dataclasses.replace(best(WIDE, on_gpu=False), augmented_epochs=1, final_epochs=0)
    run(Config(WIDE, recipe, 1, 28, DATA.digests), Inputs(DATA), tmp_path / "wide")
    given: list[tuple[Config, Inputs]] = []
    monkeypatch.setattr("train.run.run", lambda config, inputs, _: given.append((config, inputs)))
    options = ["cnn4", "--recipe", "best", "--teacher", str(tmp_path / "wide"), "--data", str(data_dir)]
    for precision in ([], ["--mixed-precision", "bfloat16"]):
        assert main([*options, *precision]) == 0
    for (config, inputs), dtype in zip(given, ("float32", "bfloat16"), strict=True):
        assert config.recipe.teaching == ASKED_ONCE
        first = next(layer for layer in inputs.teachers[0].layers if layer.weights)
        assert (first.compute_dtype, first.variable_dtype) == (dtype, "float32")
