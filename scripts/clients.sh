#!/usr/bin/env bash
# Real clients of other people's making: curl, Python's requests, Node's EventSource and a Chromium. They follow 5,000
# messages in 8 rooms through two kill -9, on both engines, and each must have every message once and in order.
#
#   scripts/clients.sh [ENGINE...]        default: blocking async
#
# Needs jq, Python with requests, and what scripts/browser.sh needs. What is missing it installs with apt-get if
# it may, or says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# Runs a check, or installs the Debian package that makes it succeed.
need() { # PACKAGE CHECK...
  local package=$1
  shift
  "$@" >/dev/null 2>&1 && return
  local as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  printf '%s is missing: installing it.\n' "$package"
  "${as_root[@]}" apt-get update -qq >/dev/null && "${as_root[@]}" apt-get install -qq -y "$package" >/dev/null || true
  "$@" >/dev/null 2>&1 || fail "$package could not be installed. Install it and start again."
}

need curl curl --version
need jq jq --version
# The one of the system, if that on the path has no requests.
export PYTHON=python3
"$PYTHON" -c 'import requests' 2>/dev/null || PYTHON=/usr/bin/python3
need python3-requests "$PYTHON" -c 'import requests'

(($# > 0)) || set -- blocking async
for engine; do
  ENGINE=$engine SCRIPT=clients.js scripts/browser.sh
done
