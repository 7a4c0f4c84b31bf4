#!/usr/bin/env bash
# Pictures of the page's main states, as PNG.
#
#   scripts/screenshots.sh [DIRECTORY]        default: target/screenshots
#
# Needs what scripts/browser.sh needs, and installs it likewise.
set -euo pipefail
directory=$(realpath -m "${1:-$(dirname "$0")/../target/screenshots}")
cd "$(dirname "$0")/.."
# As people see it.
export CHROMIUM=${CHROMIUM:-chromium}
SCRIPT=screenshots.js scripts/browser.sh "$directory"
# The backstage has a crowd there, which its test brings. Its figures are those of a release build.
cargo build --quiet --release --features full
COMET_CHAT_FULL=$(realpath "${CARGO_TARGET_DIR:-target}/release/comet-chat") PICTURES=$directory \
  exec scripts/browser.sh backstage
