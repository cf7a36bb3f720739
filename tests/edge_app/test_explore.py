"""Where a picture lies among known garments: exact places by hand, and the time it takes."""

import statistics
import time
from pathlib import Path

import numpy as np
import pytest

from edge_app.errors import PointsError
from edge_app.explore import make_map
from edge_app.lessons import write_lessons
from edge_app.models import contracts, default_model
from edge_app.page.atlas import MAX_MAPS, Atlas
from edge_app.page.frames import Desk
from edge_app.pipeline import Classifiers
from edge_app.points import Points, unit
from edge_app.taught import Head, Lessons

LIMIT_MS = 1.0  # a frame


def four_points() -> Points:
    """Two bags at (1, 0, 0) and two coats at (0, 1, 0); the second and third number are the map's axes."""
    features = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]], np.float32)
    axes = np.array([[0, 1, 0], [0, 0, 1]], np.float32)
    return Points(("Bag", "Bag", "Coat", "Coat"), features, np.zeros((4, 2), np.float32), features.mean(axis=0), axes)


def test_places_by_principal_axes() -> None:
    shown = make_map(four_points(), None, None)
    assert shown.coordinates.tolist() == [[-0.5, 0], [-0.5, 0], [0.5, 0], [0.5, 0]]
    assert shown.plane.place(np.array([0, 0, 7], np.float32)).tolist() == [-0.5, 1]
    assert shown.plane.place(np.array([0, 3, 4], np.float32)) == pytest.approx([0.1, 0.8])


def test_places_between_two_labels() -> None:
    """By hand: from (1, 0, 0) to (0, 1, 0); up is the first axis without that direction, (1, 1, 0) / sqrt(2)."""
    shown = make_map(four_points(), None, ("Bag", "Coat"))
    assert shown.coordinates[:, 0].tolist() == pytest.approx([0, 0, 1, 1])
    across, up = shown.plane.place(np.array([1, 1, 0], np.float32))
    assert (across, up) == pytest.approx((0.5, 1 - np.sqrt(0.5)))
    backwards = make_map(four_points(), None, ("Coat", "Bag"))
    assert backwards.coordinates[:, 0].tolist() == pytest.approx([1, 1, 0, 0])


def test_the_nearest_are_named_by_their_angle() -> None:
    shown = make_map(four_points(), None, None)
    assert [label for label, _ in shown.nearest(np.array([1, 2, 0], np.float32))] == ["Coat", "Coat", "Bag", "Bag"]
    label, similarity = shown.nearest(np.array([30, 40, 0], np.float32))[0]
    assert label == "Coat"
    assert similarity == pytest.approx(0.8)


def test_what_was_taught_is_on_the_map() -> None:
    lessons = Lessons(("Scarf",), np.array([[0, 0, 5]], np.float32))
    shown = make_map(four_points(), lessons, ("Bag", "Scarf"))
    assert shown.labels[-1] == "Scarf"
    assert shown.nearest(np.array([0, 0, 1], np.float32))[0] == ("Scarf", 1.0)
    assert shown.coordinates[-1, 0] == pytest.approx(1)


def test_an_axis_needs_two_labels() -> None:
    for axis in (("Bag", "Bag"), ("Bag", "Scarf")):
        with pytest.raises(ValueError, match="there is no axis between"):
            make_map(four_points(), None, axis)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


@pytest.mark.usefixtures("own_folder")
def test_a_map_is_made_anew_when_something_was_taught() -> None:
    classifiers, model = Classifiers(), default_model()
    classifier, atlas = classifiers.get(model), Atlas(classifiers)
    assert atlas.map(classifier, None) is atlas.map(classifier, None)
    points = classifiers.points(classifier.contract)
    size = points.features.shape[1]
    write_lessons(Lessons(("Scarf",), np.ones((1, size), np.float32)), classifier.contract)
    classifier.head = Head(("Scarf",), np.zeros((1, size), np.float32), np.zeros(1, np.float32))
    assert atlas.map(classifier, None).labels == (*points.labels, "Scarf")
    assert atlas.map(classifier, ("Bag", "Scarf")).labels[-1] == "Scarf"


def test_so_many_maps_are_kept() -> None:
    classifiers, model = Classifiers(), default_model()
    classifier, atlas = classifiers.get(model), Atlas(classifiers)
    first = atlas.map(classifier, None)
    labels = [label for label in classifier.contract.labels if label != "Bag"]
    for axis in [("Bag", label) for label in labels] + [(label, "Bag") for label in labels[: MAX_MAPS - len(labels)]]:
        atlas.map(classifier, axis)
    assert len(atlas._maps) == MAX_MAPS
    assert atlas.map(classifier, None) is not first
    with pytest.raises(PointsError, match=r"no axis between 'Bag' and 'Sock'. Choose two other names"):
        atlas.map(classifier, ("Bag", "Sock"))


def test_it_takes_far_less_than_a_millisecond_a_frame() -> None:
    classifiers = Classifiers()
    for contract in contracts():
        atlas, axis = Atlas(classifiers), (contract.labels[0], contract.labels[1])
        features = classifiers.points(contract).features[7] * 3
        times_ms = []
        for _ in range(200):
            started = time.perf_counter()
            atlas.place(contract.name, axis, features)
            times_ms.append(1e3 * (time.perf_counter() - started))
        assert statistics.median(times_ms) < LIMIT_MS


def test_the_script_is_told_the_map_and_the_place() -> None:
    model = default_model()
    desk = Desk([model], classifiers := Classifiers(), watch=None)
    told = desk.known_garments({"model": model, "axis": ["Bag", "Coat"]})
    points, labels = told["points"], told["labels"]
    assert isinstance(points, list) and isinstance(labels, list)
    kept = classifiers.points(classifiers.get(model).contract)
    assert [labels[index] for _, _, index in points] == list(kept.labels)
    bags = [x for x, _, index in points if labels[index] == "Bag"]
    assert np.mean(bags) == pytest.approx(0, abs=0.01)
    features = kept.features[kept.labels.index("Bag")]
    place = Atlas(classifiers).place(model, None, features)
    assert place is not None
    assert place["nearest"] == [label for label, _ in make_map(kept, None, None).nearest(unit(features))]
    assert Atlas(classifiers).place(model, ("Bag", "Sock"), features) is None
    for message, words in (
        ("map", "not an object"),
        ({"model": "m"}, "no such model"),
        ({"model": model, "axis": ["Bag"]}, "an axis is two names"),
        ({"model": model, "axis": ["Bag", 5]}, "an axis is two names"),
        ({"model": model, "axis": ["Bag", "Sock"]}, "no axis between"),
    ):
        reply = desk.known_garments(message)
        assert reply["error"] is True and words in str(reply["words"])
