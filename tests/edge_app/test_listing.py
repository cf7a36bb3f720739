"""Which pictures the command `classify` finds in a folder."""

import shutil
import sys
from pathlib import Path

import pytest

from edge_app.classify import pictures
from edge_app.models import assets_dir

BAG = assets_dir() / "examples" / "bag.png"


def test_what_macos_writes_beside_pictures_is_none(tmp_path: Path) -> None:
    for name in ("bag.png", "._bag.png"):
        shutil.copy(BAG, tmp_path / name)
    assert pictures(tmp_path) == [tmp_path / "bag.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_linked_folders_are_looked_into_once(tmp_path: Path) -> None:
    """Under their own names where they lie in the folder, too; links that lead back are no way round and round."""
    asked, elsewhere = tmp_path / "asked", tmp_path / "elsewhere"
    for folder in (asked / "own", elsewhere / "deep"):
        folder.mkdir(parents=True)
        shutil.copy(BAG, folder / "bag.png")
    (asked / "a-link").symlink_to(asked / "own")
    (asked / "linked").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(asked)
    (elsewhere / "itself").symlink_to(elsewhere)
    (asked / "nowhere").symlink_to(tmp_path / "nowhere")
    shutil.copy(BAG, tmp_path / "beside.png")
    (asked / "up").symlink_to(tmp_path)  # not what was asked for
    assert pictures(asked) == [asked / "linked" / "deep" / "bag.png", asked / "own" / "bag.png"]
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "link").symlink_to(elsewhere / "deep")
    assert pictures(tmp_path / "only") == [tmp_path / "only" / "link" / "bag.png"]
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert pictures(tmp_path / "loop") == [tmp_path / "loop"]
    (tmp_path / "empty").mkdir()
    assert pictures(tmp_path / "empty") == [tmp_path / "empty"]
