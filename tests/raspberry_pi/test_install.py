"""install.sh and the unit: checked, run for real below a folder, and cut off in the middle of updates."""

import fcntl
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from installer import INSTALL, Installer

ROOT = Path(__file__).parents[2]
UNIT = INSTALL.parent / "edge-fashion.service"
SCRIPTS = [INSTALL, *(path for path in (ROOT / "scripts").iterdir() if path.suffix == ""), ROOT / ".ci" / "run"]
# Of 10; systemd calls up to 2 "OK". Cameras, network and a user of its own are what remains.
MAX_EXPOSURE = 2.0
KILLS = int(os.environ.get("EDGE_APP_KILLS", "3"))  # scripts/test-kills asks for 50

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="install.sh is for Linux")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this project's wheel."""
    folder = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, capture_output=True, timeout=300, check=True)
    return folder


@pytest.fixture(scope="module")
def installer(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Installer:
    """One that has installed for the first time."""
    installer = Installer(tmp_path_factory.mktemp("pi"), wheels)
    done = installer.install()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        f"Installed below {installer.root}. No user was made and no service was started: that is left out with --root."
    )
    return installer


def test_the_first_installation(installer: Installer) -> None:
    assert installer.answer().startswith("Trouser (")
    assert installer.damaged() == []
    assert installer.versions == [(installer.home / "current").readlink().name]
    settings = installer.settings.read_text().splitlines()
    assert re.fullmatch(r'OPTIONS="--camera auto --host 0\.0\.0\.0 --auth edge:[0-9a-f]{10}"', settings[1])
    assert installer.settings.stat().st_mode & 0o777 == 0o600  # there is a password in it
    unit = installer.root / "etc" / "systemd" / "system" / UNIT.name
    assert unit.read_bytes() == UNIT.read_bytes()


def test_running_it_again_updates_and_keeps_the_settings(installer: Installer) -> None:
    before, settings = installer.versions, installer.settings.read_text()
    (installer.home / "versions" / "20200101-000000-1").mkdir()  # cut off long ago
    assert installer.install().returncode == 0
    assert installer.versions == [(installer.home / "current").readlink().name] != before
    assert installer.settings.read_text() == settings
    assert installer.answer().startswith("Trouser (")


def test_a_version_that_does_not_work_does_not_take_the_place_of_one_that_does(installer: Installer) -> None:
    before = installer.versions
    lent = installer.environment["PYTHONPATH"]
    installer.environment["PYTHONPATH"] = ""  # nothing it depends on is there
    try:
        done = installer.install()
    finally:
        installer.environment["PYTHONPATH"] = lent
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "install.sh: the new version does not work here; what was installed before stays."
    )
    assert installer.versions == before
    assert installer.answer().startswith("Trouser (")


def test_from_a_checkout_beside_picamera2(tmp_path: Path, wheels: Path) -> None:
    """A stand-in for the package; what is needed is lent, and pip finds it there."""
    installer = Installer(tmp_path, wheels)
    (Path(installer.environment["PYTHONPATH"]) / "picamera2.py").touch()
    del installer.environment["PIP_NO_DEPS"]
    done = installer.run()
    assert done.returncode == 0, done.stderr
    assert "include-system-site-packages = true" in (installer.home / "current" / "pyvenv.cfg").read_text()
    numpy = f"numpy=={metadata.version('numpy').partition('.')[0]}.*\n"
    assert (installer.home / "current" / "constraints.txt").read_text() == numpy
    assert not (installer.home / "current" / "tmp").exists()
    assert installer.answer().startswith("Trouser (")


def test_alone_it_does_not_fetch_what_anybody_may_have_published(tmp_path: Path) -> None:
    copied = shutil.copy(INSTALL, tmp_path)
    for words in (
        "edge-fashion.service is missing beside this script: copy the whole folder.",
        "there is no checkout around this script: run it in one, or name a folder of wheels with --wheels.",
    ):
        done = subprocess.run([copied, "--root", tmp_path], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (1, f"install.sh: {words}\n")
        shutil.copy(UNIT, tmp_path)


def test_taking_away_what_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run([INSTALL, "--root", tmp_path, "--uninstall"], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_packages_that_cannot_be_installed(tmp_path: Path) -> None:
    installer = Installer(tmp_path, tmp_path)  # there are no wheels
    done = installer.install()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "install.sh: the packages cannot be installed, and pip says above why; what was installed before stays."
    )
    assert installer.versions == []


def test_two_at_once_are_one_too_many(installer: Installer) -> None:
    before = installer.versions
    with (installer.home / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for done in (installer.install(), installer.run("--uninstall")):
            assert (done.returncode, done.stderr) == (
                1,
                "install.sh: another installation is running; wait for its end.\n",
            )
    assert installer.versions == before


def test_killed_at_any_moment_of_an_update_a_working_version_is_there(installer: Installer) -> None:
    settings = installer.settings.read_text()
    began_s = time.monotonic()
    assert installer.install().returncode == 0
    whole_s = time.monotonic() - began_s
    moments = random.Random(0)
    cut_off = 0
    for _ in range(KILLS):
        update = installer.start()
        time.sleep(moments.uniform(0, whole_s))
        os.killpg(update.pid, signal.SIGKILL)
        update.communicate(timeout=30)
        cut_off += update.returncode == -signal.SIGKILL
        assert installer.answer().startswith("Trouser (")
        assert installer.damaged() == []
        assert installer.settings.read_text() == settings
    print(f"{cut_off} of {KILLS} updates cut off")
    assert cut_off > 0
    assert installer.install().returncode == 0
    assert len(installer.versions) == 1


def test_a_damaged_file_would_be_noticed(installer: Installer) -> None:
    (victim,) = installer.home.glob("current/lib/python3*/site-packages/edge_app/decide.py")
    whole = victim.read_bytes()
    try:
        victim.write_bytes(whole[:-1])
        assert installer.damaged() == [str(victim)]
    finally:
        victim.write_bytes(whole)


@pytest.mark.parametrize(
    ("program", "script", "words"),
    [
        ("uname", "echo armv7l", "a 64-bit system is needed; write the 64-bit Raspberry Pi OS on the card."),
        ("getconf", "echo 32", "a 64-bit system is needed; write the 64-bit Raspberry Pi OS on the card."),
        (
            "python3",
            "echo 3.9",
            "Python 3.11 to 3.13 is needed and this is 3.9; use Raspberry Pi OS Bookworm or Trixie.",
        ),
        (
            "python3",
            "case $2 in *venv*) exit 1;; *) echo 3.11;; esac",
            "Python's venv is missing; sudo apt install python3-venv.",
        ),
        (
            "free",
            'case $LC_ALL in C) echo "Mem: 417 200 100";; *) echo "Speicher: 417 200 100";; esac',
            "700 MB of memory are needed and there are 417; use a Pi with 1 GB or more.",
        ),
        (
            "df",
            'echo Filesystem; echo "/dev/mmcblk0p2 7000 6800 200 97% /"',
            "1500 MB of disk are needed and 200 are free; make room, or use a larger card.",
        ),
    ],
)
def test_what_is_missing_is_one_sentence(tmp_path: Path, wheels: Path, program: str, script: str, words: str) -> None:
    installer = Installer(tmp_path, wheels)
    installer.fake(program, script)
    done = installer.install()
    assert (done.returncode, done.stderr) == (1, f"install.sh: {words}\n")
    assert installer.versions == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--wheels", "/no/such"], "--wheels: there is no folder '/no/such'."),
        (["--wheels"], "--wheels: there is no folder ''."),
        (["--faster"], "unknown option --faster; the first lines of this script say which there are."),
    ],
)
def test_wrong_options(tmp_path: Path, options: list[str], words: str) -> None:
    done = subprocess.run([INSTALL, *options], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, f"install.sh: {words}\n")


@pytest.mark.parametrize(("former", "bad"), [("", "2"), ("1", "2"), ("1", "[12]")])
def test_a_service_that_does_not_start(tmp_path: Path, former: str, bad: str) -> None:
    """The end of an installation, with a systemctl that cannot start the service while a bad version is in place."""
    home, unit, calls = tmp_path / "opt/edge-fashion", tmp_path / "etc/systemd/system" / UNIT.name, tmp_path / "calls"
    for version in filter(None, [former, "2"]):
        (home / "versions" / version).mkdir(parents=True)
    if former:
        unit.parent.mkdir(parents=True)
        unit.write_text("the former unit")
    end = f"""
        source <(sed '$d' {INSTALL}) --root {tmp_path}
        systemctl() {{ echo "$*" >>{calls}; [ "$1" != restart ] || [[ "$(current)" != {bad} ]]; }}
        former='{former}' here={UNIT.parent}
        switch_to 2
        keep_former_unit
        write_unit {UNIT}
        start_service
    """
    done = subprocess.run(["bash", "-c", end], capture_output=True, text=True, timeout=60, check=False)
    tried = ["daemon-reload", "enable --quiet edge-fashion", "restart edge-fashion"]
    again = ["daemon-reload", "restart edge-fashion"]
    if former and bad != "2":
        words = "neither the new version's service starts nor the former's; "
        assert (home / "current").readlink() == Path("versions/2")
        assert unit.read_text() == UNIT.read_text()
        assert calls.read_text().splitlines() == [*tried, *again, "daemon-reload"]
    elif former:
        words = "the new version's service does not start, the former version is put back; "
        assert (home / "current").readlink() == Path("versions/1")
        assert unit.read_text() == "the former unit"
        assert calls.read_text().splitlines() == [*tried, *again]
    else:
        words = "the service does not start and is switched off; "
        assert not (home / "current").is_symlink() and not unit.exists()
        assert calls.read_text().splitlines() == [*tried, "disable --quiet --now edge-fashion", "daemon-reload"]
    assert done.returncode == 1
    assert done.stderr.startswith(f"install.sh: {words}journalctl -u edge-fashion says why.")


def test_the_version_that_runs_stays_when_the_link_points_at_another_already(tmp_path: Path) -> None:
    """An installation was cut off between the link's change and the service's restart; the next one begins."""
    versions = tmp_path / "opt" / "edge-fashion" / "versions"
    for version in ("0", "1", "2"):
        (versions / version).mkdir(parents=True)
    (versions.parent / "current").symlink_to("versions/2")
    begin = f"""
        source <(sed '$d' {INSTALL}) --root {tmp_path}
        systemctl() {{ echo "$main_pid"; }}
        remove_other_versions
    """

    def left(pid: int) -> list[str]:
        command = ["bash", "-c", begin]
        subprocess.run(command, env={**os.environ, "main_pid": str(pid)}, timeout=60, check=True)
        return sorted(path.name for path in versions.iterdir())

    python = str(versions / "1" / "bin" / "python")  # its name: what it is, is the system's Python
    with subprocess.Popen([python, "60"], executable=shutil.which("sleep")) as service:
        try:
            assert left(service.pid) == ["1", "2"]
        finally:
            service.kill()
    assert left(0) == ["2"]  # what systemd says of a service that does not run


def test_taken_away_nothing_is_left(tmp_path: Path, wheels: Path) -> None:
    installer = Installer(tmp_path, wheels)
    assert installer.install().returncode == 0
    state = installer.root / "var" / "lib" / "edge-fashion"
    taught = state / ".local" / "share" / "edge-fashion" / "taught" / "cnn4.npz"
    taught.parent.mkdir(parents=True)
    taught.touch()
    installer.settings.with_name("edge-fashion.new").touch()  # an installation was cut off
    done = installer.run("--uninstall")
    assert (done.returncode, done.stdout) == (
        0,
        "Edge Fashion is gone, and the names it was taught. "
        "Snapshots are where they were: in the browsers that made them.\n",
    )
    assert [path for path in installer.root.rglob("*") if not path.is_dir()] == []
    assert not installer.home.exists() and not state.exists()


def test_the_scripts_pass_shellcheck() -> None:
    bash = [path for path in SCRIPTS if path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash")]
    assert len(bash) > 5
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, *bash], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("setting", "complaints"), [("WatchdogSec=60", 0), ("WatchdogSeconds=60", 1)])
def test_systemd_takes_the_unit(
    tmp_path: Path, find_program: Callable[[str], str], setting: str, complaints: int
) -> None:
    unit = tmp_path / UNIT.name
    program = "/opt/edge-fashion/current/bin/edge-fashion"
    unit.write_text(UNIT.read_text().replace(program, "/bin/true").replace("WatchdogSec=60", setting))
    verify = [find_program("systemd-analyze"), "verify", "--man=no", str(unit)]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
    assert len([line for line in done.stderr.splitlines() if UNIT.name in line]) == complaints


def test_the_service_may_do_little(find_program: Callable[[str], str]) -> None:
    analyze = [find_program("systemd-analyze"), "security", "--offline=true", "--no-pager"]
    threshold = f"--threshold={round(10 * MAX_EXPOSURE)}"
    done = subprocess.run([*analyze, threshold, UNIT], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert "Service runs under a static non-root user identity" in done.stdout
