#!/usr/bin/env bash
# The page in a real Chromium, against the real server.
#
#   scripts/browser.sh [TOPIC...]        default: all; the topics are tests/browser/*.test.js
#
# Each test's server is its own process with a fresh store on a free port, and ends with the tests.
# All topics run as two suites side by side, as most tests wait most of the time. Needs Chromium and
# Node.js 18 or later; what is missing it installs with apt-get if it may, or says what to install.
# Takes about five minutes on two cores. From the environment:
#
#   ENGINE=blocking                      or async
#   CHROMIUM=chromium                    the browser
#   SLOW=4                               a machine so many times slower, on a slow line: a test that
#                                        fails then relies on a fast one, or the page does
#   SCRIPT=suite.js                      or figures.js: how fast the page is, on this machine
set -euo pipefail
cd "$(dirname "$0")/.."

source scripts/need.sh

export ENGINE=${ENGINE:-blocking}
export CHROMIUM=${CHROMIUM:-chromium}
[[ $CHROMIUM != chromium ]] || need chromium chromium fonts-noto-color-emoji
need node nodejs
need npm npm
# It is not on everybody's path, and the package must not start its own server.
PATH=$PATH:/usr/sbin RUNLEVEL=1 need nginx nginx-light
CHROMIUM=$(command -v "$CHROMIUM") || fail "There is no $CHROMIUM."

built=$(realpath -m "${CARGO_TARGET_DIR:-target}/debug")
features=()
[[ $ENGINE != async ]] || features=(--all-features)
# The backstage shows both engines, and is not in the default build.
if [[ -z ${SCRIPT-} && -z ${COMET_CHAT_FULL-} && ($# = 0 || " $* " = *" backstage "*) ]]; then
  cargo build --quiet --all-features
  ln -f "$built/comet-chat" "$built/comet-chat-full"
  export COMET_CHAT_FULL=$built/comet-chat-full
fi
cargo build --quiet "${features[@]}"
export COMET_CHAT=$built/comet-chat

npm ci --silent --no-audit --no-fund --prefix tests/browser || fail "npm could not fetch what tests/browser/package-lock.json names."
if (($# > 0)) || [[ -n ${SCRIPT-} ]]; then
  exec node "tests/browser/${SCRIPT:-suite.js}" "$@"
fi

said=$(mktemp -d)
suites=()
trap 'kill "${suites[@]}" 2>/dev/null || true; rm -rf "$said"' EXIT
for half in 1 2; do
  HALF=$half node tests/browser/suite.js >"$said/$half" 2>&1 &
  suites+=($!)
done
failed=()
for half in 1 2; do
  if wait "${suites[half - 1]}"; then cat "$said/$half"; else failed+=("$said/$half"); fi
done
# What failed stands last.
((${#failed[@]} == 0)) || { cat "${failed[@]}"; exit 1; }
