"""What the page's script calls to teach a name, and to forget it: one message in, one answer out, errors as data."""

import threading
from collections.abc import Callable

import numpy as np

from edge_app.classifier import Classifier
from edge_app.errors import EdgeAppError, LessonError, NoHome
from edge_app.lessons import (
    add,
    as_known,
    learned,
    name_problem,
    read_lessons,
    require_room,
    set_aside,
    without,
    write_lessons,
)
from edge_app.page.frames import MAX_JPEG_CHARS, Refused, Reply, decode_jpeg
from edge_app.pipeline import Classifiers
from edge_app.preprocess import frame_to_input
from edge_app.taught import Lessons

MAX_PICTURES = 5  # in one message
CLOSED = (
    "Teaching is off: this page is open to others. It is on where the page is this machine's alone, or behind a "
    "password of yours (--auth) and not shared by a link."
)


class School:
    """Teaches the models of this device. ``is_open``: whether those who use the page may teach."""

    def __init__(self, models: list[str], classifiers: Classifiers, is_open: bool) -> None:
        self._models, self._classifiers, self._is_open = models, classifiers, is_open
        self._turn = threading.Lock()  # what is read is written before anybody else reads

    def taught(self, message: object) -> Reply:
        """``model`` -> what it was taught."""
        return self._answer(message, self._report)

    def teach(self, message: object) -> Reply:
        """``model``, ``name`` and ``jpegs``, up to five pictures that show it -> what the model was taught, and the
        ``name`` as it is written there. Without pictures nothing is learned: whether the name can be is the answer."""
        return self._answer(message, self._teach)

    def forget(self, message: object) -> Reply:
        """``model`` and ``name`` -> what it was taught, without that; without a name all is moved aside."""
        return self._answer(message, self._forget)

    def _answer(self, message: object, work: Callable[[Classifier, dict[object, object]], Reply]) -> Reply:
        try:
            if not isinstance(message, dict) or message.get("model") not in self._models:
                raise Refused("there is no such model; choose one of the list")
            with self._turn:
                return work(self._classifiers.get(str(message["model"])), message)
        except EdgeAppError as error:
            return {"error": True, "words": str(error)}

    def _report(self, classifier: Classifier, _: dict[object, object]) -> Reply:
        try:
            lessons = read_lessons(classifier.contract)
            self._classifiers.points(classifier.contract)  # nothing can be taught without
        except NoHome as error:
            return {"open": False, "words": str(error), "trouble": "", "names": []}
        except LessonError as error:
            return self._told(None, trouble=str(error) if self._is_open else "what was taught cannot be used here")
        return self._told(lessons)

    def _told(self, lessons: Lessons | None, trouble: str = "") -> Reply:
        names = list(lessons.counts.items()) if lessons else []
        return {"open": self._is_open, "words": "" if self._is_open else CLOSED, "trouble": trouble, "names": names}

    def _teach(self, classifier: Classifier, message: dict[object, object]) -> Reply:
        self._require_open()
        name, jpegs = message.get("name"), message.get("jpegs")
        if not isinstance(name, str) or not isinstance(jpegs, list) or len(jpegs) > MAX_PICTURES:
            raise Refused(f"a lesson is a name and at most {MAX_PICTURES} pictures")
        before = read_lessons(classifier.contract)
        name = as_known(name, before, classifier.contract)
        if problem := name_problem(name, classifier.contract):
            raise LessonError(f"{problem}. Choose another.")
        require_room(before, name)
        if not jpegs:
            return {**self._report(classifier, message), "name": name}
        features = classifier.infer(np.stack([_pixels(jpeg, classifier) for jpeg in jpegs])).features
        return {**self._learn(classifier, add(before, name, features)), "name": name}

    def _forget(self, classifier: Classifier, message: dict[object, object]) -> Reply:
        self._require_open()
        name = message.get("name")
        if name is None:
            set_aside(classifier.contract)
            return self._learn(classifier, None)
        return self._learn(classifier, without(read_lessons(classifier.contract), str(name)))

    def _require_open(self) -> None:
        if not self._is_open:
            raise Refused(CLOSED)

    def _learn(self, classifier: Classifier, lessons: Lessons | None) -> Reply:
        """Learned first: what does not fit is not kept."""
        contract = classifier.contract
        head = learned(lessons, self._classifiers.points(contract), contract) if lessons else None
        write_lessons(lessons, contract)
        classifier.head = head
        return self._told(lessons)


def _pixels(jpeg: object, classifier: Classifier) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture as the script sends it -> model-ready pixels, uint8 (H, W, C)."""
    if not isinstance(jpeg, str) or len(jpeg) > MAX_JPEG_CHARS:
        raise Refused(f"a picture is base64 of at most {MAX_JPEG_CHARS:,} characters")
    return frame_to_input(decode_jpeg(jpeg), classifier.contract.input)
