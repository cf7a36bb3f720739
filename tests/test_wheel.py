"""The wheel alone is enough: the app, the page's files, models and drawings, and nothing of training."""

import subprocess
import sys
import zipfile
from pathlib import Path

from edge_app.models import contracts
from edge_app.page.build import SCRIPTS, STYLES

ROOT = Path(__file__).parents[1]


def test_wheel_runs_from_a_folder_of_its_own(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, capture_output=True, timeout=300, check=True)
    (wheel,) = tmp_path.glob("edge_fashion-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "installed")
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"edge_app"}
    assert "edge_app/page/page.html" in names
    assert {f"edge_app/page/script/{name}.js" for name in SCRIPTS} <= set(names)
    assert {f"edge_app/page/style/{name}.css" for name in STYLES} <= set(names)

    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from edge_app.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    picture = tmp_path / "installed" / "edge_app" / "assets" / "examples" / "trouser.png"
    run = [sys.executable, "-P", "-c", code, str(tmp_path / "installed")]
    listed = subprocess.run([*run, "models"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert [line[2:].split()[0] for line in listed.stdout.splitlines()] == [contract.name for contract in contracts()]
    named = subprocess.run(
        [*run, "classify", "--model", "cnn4-fashion-mnist", str(picture)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert named.stdout.startswith(f"{picture}: Trouser")
