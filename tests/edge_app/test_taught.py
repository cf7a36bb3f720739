"""Names taught by examples: what they learn, what they leave to the model, what they may not take."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from edge_app.contract import Contract
from edge_app.decide import decide, probabilities
from edge_app.labels import LIVE, NONE
from edge_app.models import contracts
from edge_app.points import Points, read_points, unit
from edge_app.taught import Head, Lessons, learn, with_names, with_taught

Float32 = npt.NDArray[np.float32]

SIZE = 24
FEW = 0.01  # two names together may take a point that neither takes alone


@pytest.fixture
def contract() -> Contract:
    """A live model's: none from 0.2 on, a garment from 0.4 on."""
    return replace(contracts()[0], labels=LIVE, temperature=1.0, threshold=0.4, none_threshold=0.2)


def clouds(labels: tuple[str, ...], count: int, seed: int) -> tuple[tuple[str, ...], Float32]:
    """`count` features around a place of its own for each label; the places are the same for every seed."""
    places = np.random.default_rng(0).uniform(0, 4, (len(LIVE) + 2, SIZE))
    random = np.random.default_rng(seed)
    shown = [name for name in labels for _ in range(count)]
    order = (*LIVE, "Scarf", "Sock")
    features = np.stack([places[order.index(name)] for name in shown]) + random.normal(0, 0.7, (len(shown), SIZE))
    return tuple(shown), features.astype(np.float32)


def known_points(seed: int = 1) -> Points:
    """Forty points of each class, of which the model is fairly sure."""
    labels, features = clouds(LIVE, 40, seed)
    logits = 3 * np.array([[float(name == label) for label in LIVE] for name in labels], dtype=np.float32)
    return Points(labels, unit(features), logits, np.zeros(SIZE, np.float32), np.zeros((2, SIZE), np.float32))


def shares_named(head: Head, points: Points, contract: Contract) -> float:
    """How many of the points get a taught name."""
    extended = with_names(contract, head)
    probs = with_taught(probabilities(points.logits, 1.0), points.features, head, extended)
    return float(np.mean([decide(row, extended).label in head.names for row in probs]))


def test_taught_names_take_their_scores_and_leave_the_rest(contract: Contract) -> None:
    """By hand: two scores of 1/2 leave a quarter; each takes half of three quarters."""
    head = Head(("Scarf", "Dress"), np.zeros((2, 2), np.float32), np.zeros(2, np.float32))
    extended = with_names(contract, head)
    assert extended.labels == (*LIVE, "Scarf")  # Dress is known already
    probs = np.zeros(len(LIVE), np.float32)
    probs[[0, 3, 10]] = 0.5, 0.25, 0.25
    joined = with_taught(probs, np.array([3.0, 4.0], np.float32), head, extended)
    by_label = dict(zip(extended.labels, joined.tolist(), strict=True))
    assert by_label["T-shirt/top"] == pytest.approx(0.125)
    assert by_label["Dress"] == pytest.approx(0.0625 + 0.375)
    assert by_label[NONE] == pytest.approx(0.0625)
    assert by_label["Scarf"] == pytest.approx(0.375)
    assert joined.sum() == pytest.approx(1)


def test_of_two_sure_names_the_surer_is_the_answer(contract: Contract) -> None:
    """By hand: odds of e^30 and e^28 share 1 - (1 - sigmoid(10))^2 of the probability as 0.8808 and 0.1192, whichever
    was taught first; equal shares would name neither, by thresholds above a half."""
    probs = np.eye(len(LIVE), dtype=np.float32)[LIVE.index(NONE)]
    for names, biases in ((("Scarf", "Sock"), (30, 28)), (("Sock", "Scarf"), (28, 30))):
        head = Head(names, np.zeros((2, 2), np.float32), np.array(biases, np.float32))
        extended = with_names(contract, head)
        joined = with_taught(probs, np.array([3.0, 4.0], np.float32), head, extended)
        assert joined[extended.labels.index("Scarf")] == pytest.approx(0.8808, abs=1e-4)
        assert joined[extended.labels.index("Sock")] == pytest.approx(0.1192, abs=1e-4)


def test_scores_heed_the_direction_of_features_alone() -> None:
    """By hand: (3, 4) has the direction (0.6, 0.8), and 10 * 0.6 - 5 = 1."""
    head = Head(("Scarf",), np.array([[10.0, 0.0]], np.float32), np.array([-5.0], np.float32))
    for features in ([3.0, 4.0], [30.0, 40.0]):
        assert head.logits(np.array(features, np.float32)) == pytest.approx([1])
    assert head.logits(np.zeros(2, np.float32)) == pytest.approx([-5])


def test_ten_examples_are_learned_and_few_points_taken(contract: Contract) -> None:
    points = known_points()
    head = learn(Lessons(*clouds(("Scarf", "Sock"), 10, 2)), points, contract)
    assert head.names == ("Scarf", "Sock")
    assert shares_named(head, points, contract) <= FEW
    for name in head.names:
        alone = learn(Lessons(*clouds((name,), 10, 2)), points, contract)
        assert shares_named(alone, points, contract) == 1 / len(points.labels)
    names, features = clouds(("Scarf", "Sock"), 50, 3)
    extended = with_names(contract, head)
    probs = np.zeros((100, len(LIVE)), np.float32)
    probs[:, LIVE.index(NONE)] = 1  # all that the model knows of them
    found = [decide(row, extended).label for row in with_taught(probs, features, head, extended)]
    assert np.mean([name == label for name, label in zip(names, found, strict=True)]) >= 0.9


def test_the_bound_on_what_is_taken_is_what_keeps_the_points(contract: Contract) -> None:
    """The same names with a bias that heeds no point take many times as much."""
    points = known_points()
    head = learn(Lessons(*clouds(("Scarf",), 10, 2)), points, contract)
    eager = replace(head, biases=head.biases + 20)
    assert shares_named(eager, points, contract) > 10 * FEW


def with_lookalikes(points: Points, lessons: Lessons, label: str, count: int) -> Points:
    """More points, of which the model is sure that they are nothing, and which look like what is taught."""
    logits = np.zeros((count, len(LIVE)), np.float32)
    logits[:, LIVE.index(NONE)] = 9
    return Points(
        (*points.labels, *(label,) * count),
        np.concatenate([points.features, unit(lessons.features[:count])]),
        np.concatenate([points.logits, logits]),
        points.centre,
        points.axes,
    )


def test_of_points_that_look_alike_one_is_taken_and_two_hold_the_name_back(contract: Contract) -> None:
    """Two of nothing do, one does not; nor do two coats, which the model does not know for coats anyway."""
    lessons = Lessons(*clouds(("Scarf",), 10, 2))
    _, features = clouds(("Scarf",), 50, 3)

    def share_named(label: str, count: int) -> float:
        points = with_lookalikes(known_points(), lessons, label, count)
        return float(np.mean(learn(lessons, points, contract).logits(features) > 0))

    assert share_named(NONE, 1) > 0.9
    assert share_named(NONE, 2) < 0.5
    assert share_named("Coat", 2) > 0.9


def test_a_model_that_names_nothing_rightly_can_be_taught_too(contract: Contract) -> None:
    points = known_points()
    wrong = replace(points, logits=np.roll(points.logits, 1, axis=1))
    _, scarves = clouds(("Scarf",), 10, seed=2)
    head = learn(Lessons(("Scarf",) * 10, scarves), wrong, contract)
    assert shares_named(head, wrong, contract) == 1 / len(wrong.labels)
    _, others = clouds(("Scarf",), 40, seed=3)
    shown = replace(known_points(), labels=("Bag",) * 40, features=unit(others), logits=np.zeros((40, 11), np.float32))
    assert shares_named(head, shown, contract) > 0.5


def test_more_examples_of_a_class_of_the_models_own(contract: Contract) -> None:
    points = known_points()
    head = learn(Lessons(*clouds(("Coat",), 10, 2)), points, contract)
    extended = with_names(contract, head)
    assert extended.labels == LIVE
    _, features = clouds(("Coat",), 50, 3)
    unknowing = np.full((50, len(LIVE)), 1 / len(LIVE), np.float32)
    found = [decide(row, extended).label for row in with_taught(unknowing, features, head, extended)]
    assert found.count("Coat") >= 45


def test_one_example_is_enough_to_begin_with(contract: Contract) -> None:
    head = learn(Lessons(*clouds(("Scarf",), 1, 2)), known_points(), contract)
    assert np.isfinite(head.weights).all() and np.isfinite(head.biases).all()


def test_lessons_of_another_model_are_refused(contract: Contract) -> None:
    with pytest.raises(ValueError, match=r"lessons of \(3,\) features, points of \(24,\)"):
        learn(Lessons(("Scarf",), np.ones((1, 3), np.float32)), known_points(), contract)


def test_examples_are_counted_in_the_order_of_teaching() -> None:
    lessons = Lessons(("Sock", "Scarf", "Sock"), np.zeros((3, 2), np.float32))
    assert list(lessons.counts.items()) == [("Sock", 2), ("Scarf", 1)]


def test_a_room_that_is_taught_as_nothing_has_no_name(contract: Contract) -> None:
    """A scarf was taught in front of a room that the model takes for a bag, and that no point is near."""
    points = known_points()
    _, scarves = clouds(("Scarf",), 20, 2)
    _, rooms = clouds(("Sock",), 20, 4)
    _, other_rooms = clouds((NONE,), 10, 5)
    probs = np.eye(len(LIVE), dtype=np.float32)[[LIVE.index("Bag")] * 10] * 0.6 + 0.4 / len(LIVE)
    in_the_room = np.asarray(scarves + rooms / 2, dtype=np.float32)

    def labels(lessons: Lessons, features: Float32) -> set[str]:
        head = learn(lessons, points, contract)
        extended = with_names(contract, head)
        return {decide(row, extended).label for row in with_taught(probs, features, head, extended)}

    scarf = Lessons(("Scarf",) * 10, in_the_room[:10])
    assert labels(scarf, rooms[10:]) == {"Scarf"}
    both = Lessons((*scarf.names, *(NONE,) * 10), np.concatenate([scarf.features, rooms[:10]]))
    assert labels(both, rooms[10:]) == {NONE}
    assert labels(both, in_the_room[10:]) == {"Scarf"}
    assert labels(both, other_rooms) == {"Bag"}  # another room is not meant


@pytest.mark.parametrize("model", [contract.name for contract in contracts() if contract.variant == "live"])
def test_a_name_of_the_models_own_takes_one_at_most_of_the_others_that_were_right(model: str) -> None:
    shipped = next(contract for contract in contracts() if contract.name == model)
    points, random = read_points(shipped), np.random.default_rng(0)
    probs, labels = probabilities(points.logits, shipped.temperature), np.array(points.labels)
    before = np.array([decide(row, shipped).label for row in probs])
    for name in shipped.labels[:-1]:
        features = points.features[random.choice(np.flatnonzero(labels == name), 10, replace=False)]
        head = learn(Lessons((name,) * 10, features), points, shipped)
        shown = with_taught(probs, points.features, head, shipped)
        after = np.array([decide(row, shipped).label for row in shown])
        is_tie = probs.max(axis=-1) == probs[:, shipped.labels.index(name)]  # 8 bits give two names the same at times
        assert ((labels == before) & (labels != name) & (after == name) & ~is_tie).sum() <= 1


@pytest.mark.parametrize("model", [contract.name for contract in contracts() if contract.variant == "live"])
def test_nothing_takes_one_at_most_of_the_garments_that_were_right(model: str) -> None:
    """Little is enough for none: its threshold is far below a half."""
    shipped = next(contract for contract in contracts() if contract.name == model)
    points, random = read_points(shipped), np.random.default_rng(0)
    probs = probabilities(points.logits, shipped.temperature)
    before = [decide(row, shipped).label for row in probs]
    for index in random.integers(len(points.labels), size=10):
        features = points.features[index] + random.normal(0, 0.02, (10, points.features.shape[1]))
        head = learn(Lessons((NONE,) * 10, features.astype(np.float32)), points, shipped)
        after = [decide(row, shipped).label for row in with_taught(probs, points.features, head, shipped)]
        rows = zip(points.labels, before, after, strict=True)
        assert sum(label == then != NONE == now for label, then, now in rows) <= 1
