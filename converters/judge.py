"""How a converted model does on real pictures, through the very call the app makes for a picture."""

from pathlib import Path

from edge_app.classifier import Classifier
from edge_app.errors import DataError
from edge_app.preprocess import frame_to_input
from train.pictures import Collection, Layout


def share_right(classifier: Classifier, path: Path, layout: Layout) -> float:
    """Share (0..1) of a collection's validation garments whose likeliest label is right; thresholds are ignored."""
    labels, spec = classifier.contract.labels, classifier.contract.input
    with Collection(path, layout) as collection:
        garments = [picture for picture in collection.pictures if picture.split == "val" and picture.is_garment]
        if not garments:
            raise DataError(f"{path}: no garment of the split val. Name other data, or give some rows that split.")
        right = 0
        for picture in garments:
            logits = classifier.logits(frame_to_input(collection.frame(picture), spec)[None])[0]
            right += labels[int(logits.argmax())] in picture.classes
    return right / len(garments)
