"""Whether two machines give the same answers: for scripts/test-arm64, which runs it on both.

parity.py pictures PICTURES.npz              500 pictures: the drawn garments, moved, scaled, lit and with noise
parity.py logits PICTURES.npz LOGITS.npz     the logits of each installed int8 model, in steps
parity.py compare LOGITS.npz LOGITS.npz      a row for each model; exit status 1 if they differ too much
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

MOST_STEPS = 3  # by which a logit may differ
SURE_STEPS = 6  # where the two best are farther apart, the best has to be the same
PER_DRAWING = 50
LARGE_BYTES = 5_000_000  # an emulated machine takes many seconds for a picture with a model larger than this


def make_pictures(path: Path) -> None:
    """Writes `frames_rgb`, uint8 (500, 96, 96, 3), the same every time."""
    from edge_app.images import decode_file
    from edge_app.models import assets_dir
    from edge_app.pixels import resize

    random = np.random.default_rng(0)
    frames_rgb = []
    for drawing in sorted((assets_dir() / "examples").glob("*.png")):
        garment_rgb = decode_file(drawing)
        for _ in range(PER_DRAWING):
            side = int(random.integers(48, 97))
            top, left = (int(random.integers(0, 97 - side)) for _ in range(2))
            frame = np.full((96, 96, 3), 255.0)
            frame[top : top + side, left : left + side] = resize(garment_rgb, side, side)
            frame = frame * random.uniform(0.6, 1.0) + random.normal(0, 6, frame.shape)
            frames_rgb.append(frame.clip(0, 255).astype(np.uint8))
    np.savez_compressed(path, frames_rgb=np.stack(frames_rgb))


def write_logits(pictures: Path, path: Path) -> None:
    """Writes by model int16 (500, classes): its logits divided by their scale, which int8 makes whole numbers.

    Of a large model it is (10, classes), a picture of each drawing.
    """
    from edge_app.classifier import Classifier, make_interpreter
    from edge_app.models import contract_path, contracts
    from edge_app.preprocess import frame_to_input

    frames_rgb = np.load(pictures)["frames_rgb"]
    steps = {}
    for contract in contracts():
        if contract.quantization != "int8":
            continue
        model = contract_path(contract.name).with_suffix(".tflite")
        interpreter, _ = make_interpreter(model.read_bytes(), 1, str(model))
        scale, _ = interpreter.get_output_details()[contract.outputs["logits"]]["quantization"]
        shown = frames_rgb[::PER_DRAWING] if model.stat().st_size > LARGE_BYTES else frames_rgb
        pixels = np.stack([frame_to_input(frame_rgb, contract.input) for frame_rgb in shown])
        logits = Classifier.load(contract.name).logits(pixels)
        steps[contract.name] = np.rint(logits / scale).astype(np.int16)
    np.savez_compressed(path, **steps)


def differences(here: npt.NDArray[np.int16], there: npt.NDArray[np.int16]) -> tuple[int, int, int]:
    """Logits in steps int16 (N, classes), twice -> the largest difference, and of how many pictures the best label was
    compared, because the two best differ by more than SURE_STEPS, and differs."""
    best = np.sort(here, axis=1)
    sure = best[:, -1] - best[:, -2] > SURE_STEPS
    changed = here.argmax(axis=1) != there.argmax(axis=1)
    return int(np.abs(here - there).max()), int(sure.sum()), int((sure & changed).sum())


def compare(here: Path, there: Path) -> bool:
    """Prints a row for each model; whether all are as they should be."""
    ours, theirs = np.load(here), np.load(there)
    good = set(ours) == set(theirs) != set()
    for model in sorted(set(ours) & set(theirs)):
        largest, sure, changed = differences(ours[model], theirs[model])
        equal = np.mean(ours[model] == theirs[model])
        print(
            f"{model:20} {len(ours[model])} pictures: logits equal {equal:.2%}, largest difference {largest} steps; "
            f"best label compared for {sure}, other for {changed}"
        )
        good = good and largest <= MOST_STEPS and changed == 0
    return good


if __name__ == "__main__":
    command, *paths = sys.argv[1], *map(Path, sys.argv[2:])
    if command == "pictures":
        make_pictures(*paths)
    elif command == "logits":
        write_logits(*paths)
    else:
        sys.exit(0 if compare(*paths) else 1)
