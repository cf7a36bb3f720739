"""The validation photos out of focus, pale, dim and bright: how many garments a model still names, or takes for none.

Every condition is made of the whole photo, as a camera would, before it is framed. Blur is a Gaussian whose sigma is
given in pixels of a picture of 28; contrast is about the photo's mean; light is a factor. Thresholds are ignored.
"""

import argparse
import sys
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier
from edge_app.errors import EdgeAppError
from edge_app.labels import NONE
from edge_app.preprocess import frame_to_input
from train.judge import judge
from train.paths import warn_of_others
from train.pictures import PHOTOS, Collection, find_collections

UInt8 = npt.NDArray[np.uint8]


def blurred(sigma: float) -> Callable[[UInt8], UInt8]:
    """A picture out of focus."""
    return lambda frame_rgb: np.asarray(
        cv2.GaussianBlur(frame_rgb, (0, 0), sigma * max(frame_rgb.shape[:2]) / 28, borderType=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )


def lit(factor: float, contrast: float = 1.0) -> Callable[[UInt8], UInt8]:
    """A picture in other light, or pale."""

    def change(frame_rgb: UInt8) -> UInt8:
        mean = frame_rgb.mean(axis=(0, 1))
        return np.clip(((frame_rgb - mean) * contrast + mean) * factor, 0, 255).astype(np.uint8)

    return change


CONDITIONS: dict[str, Callable[[UInt8], UInt8]] = {
    "as they are": lambda frame_rgb: frame_rgb,
    **{f"blur {sigma}": blurred(sigma) for sigma in (0.3, 0.5, 0.7)},
    **{f"contrast {share}": lit(1, share) for share in (0.5, 0.3)},
    **{f"light {factor}": lit(factor) for factor in (0.5, 0.25, 1.5)},
}


def main(argv: list[str]) -> int:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(prog="scripts/measure-conditions", description=__doc__)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="models of the kind for cameras")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth photo (default: all)")
    parser.add_argument("--data", metavar="DIR", help="folder that holds photos and products (default: EDGE_APP_DATA)")
    args = parser.parse_args(argv)
    if args.every < 1:
        parser.error("--every must be 1 or more")
    models = [Classifier.load(name) for name in args.models]
    for model in models:
        if NONE not in model.contract.labels:
            raise EdgeAppError(f"{model.contract.name} has no class for no garment: name models for cameras.")
    path = find_collections(args.data)[PHOTOS]
    warn_of_others([model.contract for model in models], {PHOTOS: path})
    with Collection(path, PHOTOS) as photos:
        rows = [row for row in photos.pictures if row.split == "val" and row.is_garment][:: args.every]
        frames = [photos.frame(row) for row in rows]
    print(f"{len(rows)} photos of garments, named rightly (taken for none)\n")
    print(f"| | {' | '.join(model.contract.name for model in models)} |\n|---|{'---|' * len(models)}")
    for name, change in CONDITIONS.items():
        changed = [change(frame) for frame in frames]
        cells = []
        for model in models:
            labels = model.contract.labels
            logits = model.logits(np.stack([frame_to_input(frame, model.contract.input) for frame in changed]))
            none = float((logits.argmax(axis=-1) == labels.index(NONE)).mean())
            cells.append(f"{judge(labels, rows, logits).right:.1%} ({none:.0%})")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EdgeAppError as error:
        sys.exit(f"error: {error}")
