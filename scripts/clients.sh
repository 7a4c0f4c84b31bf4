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

source scripts/need.sh

need curl curl
need jq jq
# The one of the system, if that on the path has no requests.
export PYTHON=python3
"$PYTHON" -c 'import requests' 2>/dev/null || PYTHON=/usr/bin/python3
"$PYTHON" -c 'import requests' 2>/dev/null || install_packages python3 python3-requests

(($# > 0)) || set -- blocking async
for engine; do
  ENGINE=$engine SCRIPT=clients.js scripts/browser.sh
done
