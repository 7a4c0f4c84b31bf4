#!/usr/bin/env bash
# Pictures of the page's main states, as PNG.
#
#   scripts/screenshots.sh [DIRECTORY]        default: target/screenshots
#
# Needs what scripts/browser.sh needs, and installs it likewise.
set -euo pipefail
directory=$(realpath -m "${1:-$(dirname "$0")/../target/screenshots}")
SCRIPT=screenshots.js exec "$(dirname "$0")/browser.sh" "$directory"
