"""``python -m train project``: pictures as points, by their pixels and by what a model makes of them.

Writes what TensorBoard's projector reads, and a page that needs neither TensorBoard nor a network.
"""

import argparse
import functools
import hashlib
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_app.classifier import Classifier
from edge_app.models import default_model
from train.data import find_data, load_fashion_mnist
from train.files import write_atomically
from train.pictures import PHOTOS, find_collection
from train.progress import Progress
from train.projector.embed import ANGLE, AXES, BEFORE, EXAGGERATED, ITERATIONS, PERPLEXITY, Pca, pca, tsne
from train.projector.logs import write_logs
from train.projector.page import Layout, make_page
from train.projector.spaces import Pictures, fashion, photos

Float32 = npt.NDArray[np.float32]

OUT = Path("runs/project")
SEED = 1
COUNT = 10_000
MOST = 12_000  # validation images
PAGE, LOGS, KEPT = "projector.html", "tensorboard", "tsne"


def parse(argv: list[str]) -> argparse.Namespace:
    """The arguments, checked by argparse."""
    parser = argparse.ArgumentParser(prog="python -m train project", description=__doc__)
    parser.add_argument("--model", metavar="NAME", help="an installed model, or a .tflite file (the app's choice)")
    parser.add_argument(
        "--count", type=_count, default=COUNT, metavar="N", help=f"at most so many pictures of each set ({COUNT:,})"
    )
    parser.add_argument("--data", metavar="DIR", help="folder with fashion-mnist/ and photos ($EDGE_APP_DATA)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=OUT, help=f"where to ({OUT})")
    return parser.parse_args(argv)


def _count(text: str) -> int:
    if not text.isdecimal() or not 20 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text}: expected 20 to {MOST:,}")
    return int(text)


def load(classifier: Classifier, data: str | None, count: int) -> list[Pictures]:
    """Fashion-MNIST, and the photos if there are any. Raises DataError."""
    folder = find_data(data)
    sets = [fashion(load_fashion_mnist(data, classifier.contract.recipe["seed"]).val, classifier, count)]
    path = find_collection(folder, PHOTOS) if folder else None
    if path:
        sets.append(photos(path, classifier, count, SEED))
    else:
        print(f"no photos in {folder or 'Keras cache'}: Fashion-MNIST alone (docs/training.md says how to get them)")
    return sets


def lay_out(points: Float32, name: str, kept: Path) -> Layout:
    """Where points float32 (N, D) lie. What t-SNE gave is kept in ``kept``, for it takes minutes."""
    components = pca(points, max(AXES, BEFORE))
    plane, space = (_tsne(components.coordinates, dimensions, name, kept) for dimensions in (2, 3))
    first = Pca(components.axes[:AXES], components.coordinates[:, :AXES], components.shares[:AXES])
    return Layout(first, plane, space)


def _tsne(components: Float32, dimensions: int, name: str, kept: Path) -> Float32:
    """t-SNE of the components, read from ``kept`` if the very same were laid out before."""
    # To a thousandth: another processor's last digits are the same picture.
    rounded = np.ascontiguousarray(np.rint(components * 1000).astype("<i4"))
    settings = f"{components.shape} {dimensions} {SEED} {PERPLEXITY} {EXAGGERATED} {ITERATIONS} {ANGLE}"
    path = kept / f"{hashlib.sha256(settings.encode() + rounded.tobytes()).hexdigest()[:32]}.npy"
    title = f"{name}, t-SNE in {dimensions}-D"
    if (found := _read(path, (len(components), dimensions))) is not None:
        print(f"{title}: kept from an earlier run")
        return found
    with Progress(title, EXAGGERATED + ITERATIONS) as progress:
        places = tsne(components, dimensions, SEED, progress.at)
    file = io.BytesIO()
    np.save(file, places, allow_pickle=False)
    write_atomically(path, functools.partial(Path.write_bytes, data=file.getvalue()))
    return places


def _read(path: Path, shape: tuple[int, int]) -> Float32 | None:
    """An array of that shape; None if it is not there, or damaged."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    return found if isinstance(found, np.ndarray) and (found.shape, found.dtype) == (shape, np.float32) else None


def main(argv: list[str]) -> int:
    """Writes logs and page for one model; returns the exit status."""
    args = parse(argv)
    classifier = Classifier.load(args.model or default_model())
    model, out = classifier.contract.name, args.out
    sets = load(classifier, args.data, args.count)
    (out / KEPT).mkdir(parents=True, exist_ok=True)  # now, not after minutes of t-SNE, if it cannot be
    layouts = {
        (pictures.name, space): lay_out(points, f"{pictures.name}, {space}", out / KEPT)
        for pictures in sets
        for space, points in pictures.spaces.items()
    }
    page, logs = out / model / PAGE, out / model / LOGS
    write_logs(logs, sets, model)
    text = make_page(sets, layouts, model)
    write_atomically(page, lambda part: part.write_text(text, encoding="utf-8"))
    print(f"{page}: {page.stat().st_size / 1e6:.1f} MB, opens in any browser\n{logs}: tensorboard --logdir {logs}")
    return 0
