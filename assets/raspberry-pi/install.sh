#!/usr/bin/env bash
# Installs Edge Fashion as a service that runs from power-on. Running it again updates it.
#
#   sudo ./install.sh                 in a checkout: its own wheel, built on the way
#   sudo ./install.sh --wheels DIR    from a folder of wheels, without any network
#   sudo ./install.sh --uninstall     takes everything away, names that were taught too (snapshots stay in browsers)
#   ./install.sh --root DIR ...       everything below DIR, to try it: makes no user, starts no service
#
# A version is installed into a folder of its own, tried, and then put in place by renaming one link. Whenever that is
# cut off, the former version is whole and goes on running; what was left behind is cleared away the next time.
set -euo pipefail
umask 022
export LC_ALL=C           # what free and others print is read here
export PYTHONNOUSERSITE=1 # the service does not have what root has installed for itself

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
service=edge-fashion
memory_mb=700 # a Raspberry Pi with 1 GB has about 900
disk_mb=1500  # two versions beside each other, and some room

stop() {
  echo "install.sh: $*" >&2
  exit 1
}

root='' wheels='' uninstall=''
while [ $# -gt 0 ]; do
  case $1 in
    --root | --wheels)
      [ -d "${2-}" ] || stop "$1: there is no folder '${2-}'."
      printf -v "${1#--}" %s "$(cd "$2" && pwd)"
      shift
      ;;
    --uninstall) uninstall=yes ;;
    *) stop "unknown option $1; the first lines of this script say which there are." ;;
  esac
  shift
done
home=$root/opt/$service
settings=$root/etc/default/$service
unit=$root/etc/systemd/system/$service.service
[ -n "$root" ] || [ "$(id -u)" = 0 ] || stop "only root may do this: put sudo before it."

on_this_machine() { [ -z "$root" ]; }

# What it installs has to be there: nothing is fetched that anybody may have published under this name.
check_source() {
  [ -f "$here/$service.service" ] || stop "$service.service is missing beside this script: copy the whole folder."
  [ -n "$wheels" ] || [ -f "$here/../../pyproject.toml" ] ||
    stop "there is no checkout around this script: run it in one, or name a folder of wheels with --wheels."
}

# One sentence about the first thing that is missing.
check_system() {
  local has
  [[ $(uname -m) =~ ^(aarch64|x86_64)$ && $(getconf LONG_BIT) = 64 ]] ||
    stop "a 64-bit system is needed; write the 64-bit Raspberry Pi OS on the card."
  command -v python3 >/dev/null || stop "Python is missing; sudo apt install python3 python3-venv."
  has=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  [[ $has =~ ^3\.1[123]$ ]] ||
    stop "Python 3.11 to 3.13 is needed and this is $has; use Raspberry Pi OS Bookworm or Trixie."
  python3 -c 'import ensurepip, venv' 2>/dev/null || stop "Python's venv is missing; sudo apt install python3-venv."
  has=$(free -m | awk '/^Mem/ { print $2 }')
  [ "$has" -ge $memory_mb ] || stop "$memory_mb MB of memory are needed and there are $has; use a Pi with 1 GB or more."
  has=$(df -Pm "$home" | awk 'NR == 2 { print $4 }')
  [ "$has" -ge $disk_mb ] || stop "$disk_mb MB of disk are needed and $has are free; make room, or use a larger card."
}

# Everything in versions/ but what the link points at and what the service runs from: former versions, and what a
# cut-off installation left. Before an installation, too: that is its room on the disk.
remove_other_versions() {
  local version kept
  kept=" $(current) $(running) "
  for version in "$home"/versions/*; do
    [[ $kept = *" $(basename "$version") "* ]] || rm -rf "$version"
  done
}

current() { basename "$(readlink "$home/current" || true)"; }

# The version whose Python runs the service: if an installation was cut off before the restart, the one before current.
running() {
  local pid program=''
  pid=$(systemctl show --property=MainPID --value "$service" 2>/dev/null || true)
  { IFS= read -r -d '' program <"/proc/$pid/cmdline"; } 2>/dev/null || true
  [[ $program = "$home/versions/"* ]] || return 0
  program=${program#"$home/versions/"}
  echo "${program%%/*}"
}

switch_to() {
  ln -sfn "versions/$1" "$home/next"
  sync # first the files, then the link: a power cut in between leaves the former version
  mv -T "$home/next" "$home/current"
  sync
}

# A virtual environment in $new with the wheel and what it needs, and the system's own Picamera2 where there is one.
install_version() {
  local pip=("$new/bin/python" -m pip --quiet --disable-pip-version-check --no-cache-dir --no-input)
  local site=() limits=() wanted="edge-fashion[https,mqtt]"
  local failed="the packages cannot be installed, and pip says above why; what was installed before stays."
  if python3 -c 'import picamera2' 2>/dev/null; then site=(--system-site-packages); fi
  python3 -m venv "${site[@]}" "$new"
  if [ ${#site[@]} -gt 0 ]; then # Picamera2's compiled parts work with the numpy they were made for
    python3 -c 'import numpy; print("numpy==" + numpy.__version__.split(".")[0] + ".*")' >"$new/constraints.txt"
    limits=(--constraint "$new/constraints.txt")
  fi
  export TMPDIR=$new/tmp # where /tmp is memory there may be too little of it
  mkdir "$TMPDIR"
  if [ -n "$wheels" ]; then
    "${pip[@]}" install "${limits[@]}" --no-index --find-links "$wheels" "$wanted" || stop "$failed"
  else
    "${pip[@]}" wheel --no-deps --wheel-dir "$TMPDIR" "$here/../.." || stop "$failed"
    "${pip[@]}" install "${limits[@]}" "$wanted @ file://$(echo "$TMPDIR"/*.whl)" || stop "$failed"
  fi
  rm -r "$TMPDIR"
  unset TMPDIR
}

# Before the new version takes the place of one that works, its usual model runs and the one for drawings names one.
try_version() {
  local drawing find='from edge_app.models import assets_dir; print(assets_dir() / "examples" / "trouser.png")'
  { drawing=$("$new/bin/python" -P -c "$find") && "$new/bin/edge-fashion" classify "$drawing" >/dev/null &&
    "$new/bin/edge-fashion" classify --model cnn4-fashion-mnist "$drawing" | grep -q ': Trouser '; } ||
    stop "the new version does not work here; what was installed before stays."
}

write_settings() {
  [ ! -e "$settings" ] || return 0
  mkdir -p "$(dirname "$settings")"
  password=$(python3 -c 'import secrets; print(secrets.token_hex(5))')
  (
    umask 077
    echo "# What python -m edge_app is started with; after a change: sudo systemctl restart $service" >"$settings.new"
    echo "OPTIONS=\"--camera auto --host 0.0.0.0 --auth edge:$password\"" >>"$settings.new"
  )
  mv "$settings.new" "$settings"
}

keep_former_unit() {
  rm -f "$home/former.service"
  [ ! -e "$unit" ] || cp "$unit" "$home/former.service"
}

write_unit() {
  install -D -m 644 "$1" "$unit.new"
  mv "$unit.new" "$unit"
}

start_service() {
  systemctl daemon-reload
  systemctl enable --quiet "$service"
  if systemctl restart "$service"; then return; fi
  if [ -z "$former" ]; then # nothing to go back to: what does not start is not to be tried for ever
    systemctl disable --quiet --now "$service" || true
    rm -f "$home/current" "$unit"
    systemctl daemon-reload
    stop "the service does not start and is switched off; journalctl -u $service says why. Then run this again."
  fi
  local failed
  failed=$(current)
  switch_to "$former"
  [ ! -e "$home/former.service" ] || write_unit "$home/former.service"
  systemctl daemon-reload
  if systemctl restart "$service"; then
    stop "the new version's service does not start, the former version is put back; journalctl -u $service says why."
  fi
  switch_to "$failed" # it is not the version, then: perhaps there is no camera
  write_unit "$here/$service.service"
  systemctl daemon-reload
  stop "neither the new version's service starts nor the former's; journalctl -u $service says why. The new one is in place."
}

look_for_camera() {
  "$new/bin/python" -P -c '
from edge_app.cameras.opening import open_camera
from edge_app.errors import CameraError
try:
    open_camera("auto").close()
except CameraError as error:
    print(f"install.sh: {error}; until then the page asks for the cameras of those who open it (with --https).")'
}

be_the_only_one() {
  mkdir -p "$home/versions"
  exec 9>"$home/lock"
  flock --nonblock 9 || stop "another installation is running; wait for its end."
}

install_or_update() {
  check_source
  be_the_only_one
  remove_other_versions
  check_system
  former=$(current)
  new=$home/versions/$(date +%Y%m%d-%H%M%S)-$$
  trap '[ "$(current)" = "$(basename "$new")" ] || rm -rf "$new"' EXIT
  echo "Installing into $new, some minutes ..."
  install_version
  try_version
  write_settings
  if on_this_machine; then
    id "$service" >/dev/null 2>&1 || useradd --system --no-create-home --home-dir "/var/lib/$service" \
      --shell /usr/sbin/nologin "$service"
    [ -n "$former" ] || look_for_camera || true # an update's camera is in use; what fails here is advice only
  fi
  switch_to "$(basename "$new")"
  keep_former_unit
  write_unit "$here/$service.service"
  if ! on_this_machine; then
    remove_other_versions
    echo "Installed below $root. No user was made and no service was started: that is left out with --root."
    return
  fi
  start_service
  remove_other_versions
  echo "Edge Fashion runs, now and after every power-on. Its page, unless $settings says otherwise:"
  echo "http://$(hostname -I | awk '{ print $1 }'):7860/"
  echo "Name and password: ${password:+edge, $password; also }in $settings"
}

take_away() {
  [ ! -d "$home" ] || be_the_only_one
  if on_this_machine; then
    systemctl disable --quiet --now "$service" 2>/dev/null || true
  fi
  rm -rf "$home" "$settings" "$settings.new" "$unit" "$unit.new" "$root/var/lib/$service"
  if on_this_machine; then
    systemctl daemon-reload
    ! id "$service" >/dev/null 2>&1 || userdel "$service"
  fi
  echo "Edge Fashion is gone, and the names it was taught. Snapshots are where they were: in the browsers that made them."
}

if [ -n "$uninstall" ]; then take_away; else install_or_update; fi
