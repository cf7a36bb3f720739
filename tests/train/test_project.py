"""The projector's numbers and files: worked by hand, read back, and refused where they cannot be."""

import io
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector import ProjectorConfig

from edge_app.errors import DataError
from edge_app.models import default_model
from train.__main__ import main
from train.data import Split
from train.progress import Progress, duration
from train.project import lay_out, parse
from train.projector.embed import Pca, agreement, nearest, pack_places, pack_points, pca, tsne
from train.projector.logs import CONFIG, metadata, sprite_sheet, tensor_file, write_logs
from train.projector.page import FOLDER, Layout
from train.projector.spaces import Pictures, commonest, fashion, photos


def handmade() -> tuple[Pictures, dict[tuple[str, str], Layout]]:
    """Six points: three bags around (0, 0), three coats around (4, 3), at places that are easy to reckon with."""
    features = np.array([[0, 0], [1, 0], [-1, 0], [4, 3], [5, 3], [3, 3]], np.float32)
    pixels = np.repeat(np.arange(6, dtype=np.uint8) * 40, 784).reshape(6, 28, 28)
    columns: dict[str, tuple[str, ...]] = {
        "class": ("Bag",) * 3 + ("Coat",) * 3,
        "answer": ("Bag", "Bag", "Coat", "Coat", "Coat", "unsure"),
    }
    pictures = Pictures("photos", "Photos (6)", pixels, features, columns, tuple("abcdef"))
    places = np.zeros((6, 3), np.float32)
    places[:, :2] = features
    axes = Pca(np.array([[0, 1], [1, 0]], np.float32), places, np.array([0.75, 0.25, 0], np.float32))
    layout = Layout(axes, places[:, :2], places)
    flat = Pca(np.full((1, 784), 1 / 28, np.float32), places, axes.shares)
    return pictures, {("photos", "pixels"): Layout(flat, places[:, :2], places), ("photos", "features"): layout}


def test_principal_axes() -> None:
    """By hand: along (3, 4) / 5 the points vary by 5 times as much as across."""
    along, across = np.array([0.6, 0.8]), np.array([-0.8, 0.6])
    points = np.array([5 * along, -5 * along, across, -across], np.float32) + np.float32(7)
    found = pca(points, 3)
    assert found.axes == pytest.approx(np.array([[0.6, 0.8], [0.8, -0.6]]), abs=1e-6)
    assert found.shares == pytest.approx([25 / 26, 1 / 26])
    assert found.coordinates == pytest.approx(np.array([[5, 0], [-5, 0], [0, -1], [0, 1]]), abs=1e-5)


def test_nearest_and_agreement() -> None:
    points = np.array([[0], [1], [3], [-1]], np.float32)
    assert nearest(points, 2).tolist() == [[1, 3], [0, 2], [1, 0], [0, 1]]
    assert agreement(points, np.array([0, 0, 1, 1], np.uint8)) == pytest.approx(1 / 3)  # 3 others each, one alike
    assert agreement(points, np.zeros(4, np.uint8)) == 1


def test_points_of_an_int8_model_are_packed_exactly() -> None:
    points = np.float32(0.1) * np.array([[-3, 0, 7], [200, 1, 5]], np.float32)
    packed = pack_points(points)
    assert packed.codes.tolist() == [[0, 3, 10], [203, 4, 8]]
    assert (packed.low, packed.step) == pytest.approx((-0.3, 0.1))
    rough = np.random.default_rng(0).normal(size=(50, 20)).astype(np.float32)
    packed = pack_points(rough)
    assert np.abs(packed.low + packed.step * packed.codes - rough).max() <= 0.51 * packed.step
    assert pack_points(np.full((2, 2), 3, np.float32)).codes.tolist() == [[0, 0], [0, 0]]


def test_places_keep_their_proportions() -> None:
    packed = pack_places(np.array([[10, -5], [0, 2.5]], np.float32))
    assert packed.codes.tolist() == [[32767, -16384], [0, 8192]]


def test_tsne_keeps_two_heaps_apart_and_repeats() -> None:
    random = np.random.default_rng(1)
    points = np.concatenate([random.normal(0, 1, (20, 5)), random.normal(30, 1, (20, 5))]).astype(np.float32)
    told: list[int] = []
    first = tsne(points, 2, 1, told.append)
    assert first.shape == (40, 2) and told[-1] == 750
    assert set(nearest(first, 1)[:20, 0]) <= set(range(20)) and set(nearest(first, 1)[20:, 0]) <= set(range(20, 40))
    assert np.array_equal(first, tsne(points, 2, 1, lambda done: None))


def test_tsne_is_kept_and_a_damaged_file_made_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = np.random.default_rng(2).normal(size=(24, 4)).astype(np.float32)
    first = lay_out(points, "some", tmp_path)
    assert "kept" not in capsys.readouterr().out
    assert np.array_equal(lay_out(points, "some", tmp_path).space, first.space)
    assert capsys.readouterr().out.count("kept from an earlier run") == 2
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(lay_out(points, "some", tmp_path).plane, first.plane)
    assert "kept" not in capsys.readouterr().out


def test_sprites_lie_row_by_row_in_a_square() -> None:
    images = np.arange(1, 6, dtype=np.uint8).repeat(6).reshape(5, 2, 3)
    sheet = sprite_sheet(images)
    assert sheet.shape == (6, 9)
    assert sheet[::2, ::3].tolist() == [[1, 2, 3], [4, 5, 0], [0, 0, 0]]
    assert (sheet[:2, 3:6] == 2).all()


def test_metadata_has_no_stray_tabs() -> None:
    text = metadata({"class": ("Coat", "T-shirt/top"), "picture": ("a\tb\r\nc", 'd "e"')})
    assert text == 'class\tpicture\nCoat\ta b c\nT-shirt/top\td "e"\n'
    assert metadata({"class": ("Coat", "Bag")}) == "Coat\nBag\n"  # a single column has no heading


def test_raw_numbers_that_read_as_text_become_text() -> None:
    points = np.array([[0, 2], [0.5, 1 / 3]], np.float32)
    suffix, content = tensor_file(points[:1])
    assert (suffix, content) == (".tsv", b"0\t2\n")
    suffix, content = tensor_file(points)
    assert suffix == ".bytes" and np.frombuffer(content, "<f4").tolist() == points.ravel().tolist()


def test_logs_are_read_back(tmp_path: Path) -> None:
    pictures, _ = handmade()
    write_logs(tmp_path, [pictures], "cnn9")
    config = text_format.Parse((tmp_path / CONFIG).read_text(), ProjectorConfig())
    assert [info.tensor_name for info in config.embeddings] == ["photos, pixels", "photos, features of cnn9"]
    for info, points in zip(config.embeddings, pictures.spaces.values(), strict=True):
        assert list(info.tensor_shape) == list(points.shape)
        assert len((tmp_path / info.metadata_path).read_text().splitlines()) == 7
        with Image.open(tmp_path / info.sprite.image_path) as sheet:
            assert sheet.size == (84, 84) and sheet.getpixel((28, 28)) == 160
    assert not list(tmp_path.glob(".part-*"))


def test_time_left() -> None:
    now, out = [0.0], io.StringIO()
    with Progress("step", 100, out, lambda: now[0]) as progress:
        for done, second in ((10, 10), (25, 31), (50, 40)):
            now[0] = second
            progress.at(done)
        now[0] = 125
    assert out.getvalue() == "step: 25%, 1 min 33 s left\nstep: 2 min 05 s\n"
    assert duration(4.4) == "4 s"


def test_what_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--count", "3"])
    assert "expected 20 to 12,000" in capsys.readouterr().err
    for arguments, words in (
        (["project", "--count", "many"], "--count: many: expected 20 to 12,000"),
        (["cnn1", "--seed", "x"], "--seed: x: expected a whole number, 0 or more"),
        (["cnn1", "--learning-rate", "fast"], "--learning-rate: fast: expected a number above 0"),
    ):
        with pytest.raises(SystemExit):
            main(arguments)
        assert words in capsys.readouterr().err
    assert main(["project", "--model", "nobody"]) == 2
    assert "no model 'nobody'. Installed:" in capsys.readouterr().err
    assert main(["project", "--data", str(tmp_path / "nowhere")]) == 2
    assert "no such folder" in capsys.readouterr().err
    (tmp_path / "photos").mkdir()
    from edge_app.classifier import Classifier

    classifier = Classifier.load(default_model())
    with pytest.raises(DataError, match=r"not a zip archive or folder with photos.csv"):
        photos(tmp_path / "photos", classifier, 30, 1)
    with pytest.raises(DataError, match="Fashion-MNIST: 2 pictures, at least 20 are needed"):
        fashion(Split(np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)), classifier, 30)


def test_the_commonest_words_come_first() -> None:
    assert commonest(("b", "c", "a", "c", "b", "c")) == ["c", "b", "a"]


def test_the_pages_scripts_are_short() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in FOLDER.rglob("*.*")}
    assert {name: length for name, length in lengths.items() if length > 220} == {}


def test_the_command_writes_logs_and_page(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["project", "--count", "24", "--data", str(data_dir), "--out", str(tmp_path)]) == 0
    folder = tmp_path / default_model()
    assert (folder / "projector.html").stat().st_size < 500_000
    assert len(list((folder / "tensorboard").iterdir())) == 9
    assert "opens in any browser" in capsys.readouterr().out


def test_without_photos_it_is_fashion_mnist_alone(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    (data / "fashion-mnist").symlink_to(data_dir / "fashion-mnist")
    assert main(["project", "--count", "24", "--data", str(data), "--out", str(out)]) == 0
    assert "no photos in" in capsys.readouterr().out
    assert len(list((out / default_model() / "tensorboard").iterdir())) == 5
