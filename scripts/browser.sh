#!/usr/bin/env bash
# The page in a real Chromium, against the real server.
#
#   scripts/browser.sh [TOPIC...]        default: all; the topics are tests/browser/*.test.js
#
# Each test's server is its own process with a fresh store on a free port, and ends with the tests.
# Of all topics three run at a time, as most tests wait most of the time. Needs Chromium and
# Node.js 18 or later; what is missing it installs with apt-get if it may, or says what to install.
# Takes about five minutes on two cores. From the environment:
#
#   ENGINE=blocking                      or async
#   CHROMIUM=chromium                    or chromium-headless-shell, the default if the system has it: the same
#                                        engine without the windows around the pages
#   SLOW=4                               a machine so many times slower, on a slow line: a test that
#                                        fails then relies on a fast one, or the page does
#   SCRIPT=suite.js                      or figures.js: how fast the page is, on this machine
set -euo pipefail
cd "$(dirname "$0")/.."

source scripts/need.sh

export ENGINE=${ENGINE:-blocking}
# Each page has a window in Chromium, whose own buttons are pages as well: that takes most of the processor time. So
# the tests run without windows, but for this topic: only with windows can a page be allowed to show notifications.
topic_with_windows=notice
with_windows=${CHROMIUM:-chromium}
[[ $with_windows != chromium ]] || need chromium chromium fonts-noto-color-emoji
if [[ -z ${CHROMIUM-} ]]; then
  CHROMIUM=chromium-headless-shell
  if [[ " $* " = *" $topic_with_windows "* ]]; then
    CHROMIUM=chromium
  elif ! (need "$CHROMIUM" chromium-headless-shell); then
    printf 'The tests run in chromium instead, and take longer.\n'
    CHROMIUM=chromium
  fi
fi
export CHROMIUM topic_with_windows
need node nodejs
need npm npm
# It is not on everybody's path, and the package must not start its own server.
PATH=$PATH:/usr/sbin RUNLEVEL=1 need nginx nginx-light
CHROMIUM=$(command -v "$CHROMIUM") || fail "There is no $CHROMIUM."
with_windows=$(command -v "$with_windows")
export with_windows

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

# It is fetched once, and again when the list has changed.
# shellcheck disable=SC2016
in_turn bash -c '[[ $0/node_modules/.package-lock.json -nt $0/package-lock.json ]] ||
  npm ci --silent --no-audit --no-fund --prefix "$0"' tests/browser ||
  fail "npm could not fetch what tests/browser/package-lock.json names."
if (($# > 0)) || [[ -n ${SCRIPT-} ]]; then
  exec node "tests/browser/${SCRIPT:-suite.js}" "$@"
fi

said=$(mktemp -d)
export said
trap 'rm -rf "$said"' EXIT

run_topic() { # TOPIC
  local start=$SECONDS
  [[ $1 != "$topic_with_windows" ]] || CHROMIUM=$with_windows
  if node tests/browser/suite.js "$1" >"$said/$1" 2>&1; then
    printf '%-12s %4d s  %d tests passed\n' "$1" $((SECONDS - start)) "$(sed -n 's/^[^ ]* pass //p' "$said/$1")"
  else
    printf '%-12s %4d s  failed\n' "$1" $((SECONDS - start))
    mv "$said/$1" "$said/$1.failed"
    return 1
  fi
}
export -f run_topic

# The longest first: else one of them would run alone at last.
longest=(loss tabs history followed notice limits layout access backstage model)
all=$(printf '%s\n' "${longest[@]}" tests/browser/*.test.js | sed 's|^tests/browser/||; s|\.test\.js$||' | awk '!seen[$0]++')
status=0
xargs --max-procs=3 --replace={} bash -c 'run_topic {}' <<<"$all" || status=$?
if ((status > 0)); then
  # What failed stands last.
  cat "$said"/*.failed
  exit 1
fi
