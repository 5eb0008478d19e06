#!/usr/bin/env bash
# Makes the virtual environment at $1 from requirements/dev.txt. On Debian it installs python3-venv where that is missing.
set -euo pipefail
venv=$1
say() { printf '%s\n' "$*" >&2; }
python=$(command -v python3 || true)
if [[ -z $python ]] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  say "GenPool needs Python 3.11 or newer as python3: install it (Debian 12: apt-get install python3) and run this again."
  exit 1
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  command -v apt-get >/dev/null || { say "Python's venv module is missing: install your distribution's python3-venv and run this again."; exit 1; }
  sudo=; [[ $(id -u) -eq 0 ]] || { sudo=sudo; say "sudo is needed to install the Debian package python3-venv."; }
  $sudo apt-get update -qq && $sudo apt-get install -y -qq python3-venv >/dev/null
fi
start=$SECONDS
say "setup: virtual environment in $venv"
# A half-made environment of a killed run is made anew.
[[ -x $venv/bin/pip ]] || "$python" -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
touch "$venv/.installed"
say "setup: done in $((SECONDS - start)) s"
