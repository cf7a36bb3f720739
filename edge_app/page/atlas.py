"""The models' maps of known garments, and where a frame lies on them; plain data, for the page's script."""

from edge_app.classifier import Classifier
from edge_app.errors import PointsError
from edge_app.explore import Axis, Float32, Map, make_map
from edge_app.lessons import read_lessons
from edge_app.pipeline import Classifiers
from edge_app.taught import Head

MAX_MAPS = 16  # that are kept, the last ones


class Atlas:
    """Maps, each made when it is first asked for, and again when its model was taught something."""

    def __init__(self, classifiers: Classifiers) -> None:
        self._classifiers = classifiers
        self._maps: dict[tuple[str, Axis], tuple[Head | None, Map]] = {}

    def garments(self, model: str, axis: Axis) -> dict[str, object]:
        """``labels``, and ``points``: x, y and the label's index. Raises what `map` raises."""
        shown = self.map(self._classifiers.get(model), axis)
        names = list(dict.fromkeys(shown.labels))
        rows = zip(shown.coordinates.tolist(), shown.labels, strict=True)
        return {"labels": names, "points": [[round(x, 3), round(y, 3), names.index(name)] for (x, y), name in rows]}

    def place(self, model: str, axis: Axis, features: Float32) -> dict[str, object] | None:
        """Where features float32 (F,) lie, ``x`` and ``y``, and the labels ``nearest`` to them; None without a map."""
        try:
            shown = self.map(self._classifiers.get(model), axis)
        except PointsError:
            return None  # the script is told when it asks for the garments
        x, y = shown.plane.place(features).tolist()
        return {"x": x, "y": y, "nearest": [label for label, _ in shown.nearest(features)]}

    def map(self, classifier: Classifier, axis: Axis) -> Map:
        """A model's map. Raises PointsError if it has no points, or the axis no two labels, and LessonError."""
        contract, head = classifier.contract, classifier.head
        known = self._maps.get((contract.name, axis))
        if known is not None and known[0] is head:
            return known[1]
        points, lessons = self._classifiers.points(contract), read_lessons(contract) if head else None
        try:
            made = make_map(points, lessons, axis)
        except ValueError as error:
            raise PointsError(f"{error}. Choose two other names.") from error
        kept = [item for item in self._maps.items() if item[0] != (contract.name, axis)]
        self._maps = dict([*kept[1 - MAX_MAPS :], ((contract.name, axis), (head, made))])
        return made
