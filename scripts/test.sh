#!/usr/bin/env bash
# Everything that must hold before a change goes in: what CI runs, and what you run.
#
#   scripts/test.sh
#
# Needs a Linux machine with Rust (https://rustup.rs). What else is missing it installs with apt-get
# if it may, or says what to install. Takes about 20 minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -t 1 ]]; then
  bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' green='' red='' plain=''
fi

summary=()
number=0
current=''
step_start=$SECONDS

finish_step() {
  [[ -z "$current" ]] || summary+=("$(printf '%s✓%s %2d. %-62s %4d s' "$green" "$plain" "$number" "$current" $((SECONDS - step_start)))")
  current=''
}

step() { # TITLE
  finish_step
  number=$((number + 1))
  current=$1
  step_start=$SECONDS
  printf '\n%s%d. %s%s\n' "$bold" "$number" "$current" "$plain"
}

print_summary() {
  local status=$?
  [[ -z "$current" ]] || summary+=("$(printf '%s✗%s %2d. %s' "$red" "$plain" "$number" "$current")")
  printf '\n%sIn %d s:%s\n' "$bold" "$SECONDS" "$plain"
  printf '  %s\n' "${summary[@]}"
  if ((status == 0)); then
    printf '\n%s✓ All is well.%s\n' "$green" "$plain"
  else
    printf '\n%s✗ Step %d failed; what it said stands above.%s\n' "$red" "$number" "$plain"
  fi
}
trap print_summary EXIT

source scripts/need.sh

# Runs a command beside what follows, until `end_beside`, which shows what it said and gives its status.
beside() { # COMMAND...
  beside_said=$(mktemp)
  "$@" >"$beside_said" 2>&1 &
  beside_pid=$!
}

end_beside() {
  local status=0
  wait "$beside_pid" || status=$?
  cat "$beside_said"
  rm "$beside_said"
  return "$status"
}

step 'Find what is needed'
command -v cargo >/dev/null || fail 'cargo is missing: install Rust from https://rustup.rs'
cargo fmt --version || fail 'rustfmt is missing: rustup component add rustfmt'
cargo clippy --version || fail 'clippy is missing: rustup component add clippy'
rustc --version
need cc build-essential
need curl curl
need jq jq
need openssl openssl
# nginx is not on everybody's path, and the package must not start its own server.
PATH=$PATH:/usr/sbin RUNLEVEL=1 need nginx nginx-light
export PATH=$PATH:/usr/sbin
RUNLEVEL=1 need redis-server redis-server
# The tests are a crowd of clients: they need as many files as this machine allows.
ulimit -n "$(ulimit -Hn)"
# Most tests wait most of the time: for a message, or for a wait to end.
export RUST_TEST_THREADS=8
# What is built for the first time is ready sooner without what would help to build it again.
[[ -d ${CARGO_TARGET_DIR:-target}/debug/incremental ]] || export CARGO_INCREMENTAL=0
printf 'Up to %s open files, %s cores.\n' "$(ulimit -n)" "$(nproc)"

step 'The code is formatted (cargo fmt)'
cargo fmt --check

step 'The compiler and clippy have nothing to say, with all features and with none'
cargo clippy --quiet --all-targets --all-features -- -D warnings
cargo clippy --quiet -- -D warnings
cargo clippy --quiet --test exercises --all-features -- -D warnings

step 'The documentation builds without a warning'
RUSTDOCFLAGS='-D warnings' cargo doc --quiet --no-deps --all-features --document-private-items

step 'The default build is lean'
tree=$(cargo tree --edges normal --prefix none | sed 's/ (\*)$//' | sort -u)
crates=$(wc -l <<<"$tree")
if grep -E '^(tokio|hyper|hdrhistogram|indicatif|mio|redis|rustls|clap_mangen|clap_complete) ' <<<"$tree"; then
  fail 'That belongs behind a feature: async, bench, manual or redis.'
fi
# 81, and for protection: governor (rates) with ten of its own, ipnet (trusted proxies), blake3 with three of its
# own (sessions, keys), base64 (HTTP Basic), unicode-security with unicode-script (names that look alike), and
# getrandom (secrets). And hmac-sha256, for the style in the page.
((crates <= 101)) || fail "It has $crates crates, and 101 are the most: leave one out, or raise the bound with a reason."
printf '%d crates, none of them for async, bench or redis.\n' "$crates"

# The suite writes here which parts of the description of the wire it met.
COMET_CHAT_MET=$PWD/target/description-met
export COMET_CHAT_MET
rm -rf "$COMET_CHAT_MET"

step 'Unit tests, and every test through real sockets'
# With all features: they add engines and stores, and change nothing in what the default build has. The steps below
# test that one, as people get it.
cargo test --quiet --all-features --no-run
# Side by side, since they wait half of the time: the suite and all other tests. Its crowds come at last: when there are
# thousands of connections on a machine, every server takes longer to look for its own.
beside cargo test --quiet --all-features --test it -- --skip alone::
others=$(cargo metadata --no-deps --format-version 1 |
  jq -r '.packages[].targets[] | select(.kind == ["test"] and .test and .name != "it") | "--test=" + .name')
status=0
# shellcheck disable=SC2086
cargo test --quiet --all-features --lib --bins $others || status=$?
((status)) || cargo test --quiet --all-features --doc || status=$?
end_beside || status=$?
((status == 0)) || exit "$status"
cargo test --quiet --all-features --test it -- alone::
# For the backstage in a browser, which is not in the default build.
ln -f "${CARGO_TARGET_DIR:-target}/debug/comet-chat" "${CARGO_TARGET_DIR:-target}/debug/comet-chat-full"

step 'The exercises of the lesson can be done, and their tests notice when they are not'
scripts/exercises.sh

step 'Three instances behind a balancer are one chat'
COMET_CHAT=${CARGO_TARGET_DIR:-target}/debug/comet-chat scripts/cluster.sh --check

step 'The recipe for nginx works'
# Those for HAProxy and Caddy too, and with the pauses around idle times: scripts/proxies.sh
COMET_CHAT=${CARGO_TARGET_DIR:-target}/debug/comet-chat scripts/proxies.sh --short nginx

step 'Nothing in the description of the wire (/openapi.json) went unmet'
COMET_CHAT_MET_IN=$COMET_CHAT_MET cargo test --quiet --all-features --test it description::all_that_is_described_was_met

step 'What is deployed is well-formed'
scripts/deploy/check.sh

step 'Two curl clients chat through the default build'
scripts/two_clients.sh
for flags in '--engine async' --lesson; do
  # shellcheck disable=SC2086
  if said=$("${CARGO_TARGET_DIR:-target}/debug/comet-chat" $flags --store memory: 2>&1) || [[ $said != *'build it with --features '* ]]; then
    fail "The default build says about $flags: $said"
  fi
done

if [[ -x scripts/browser.sh ]]; then
  step 'The page in a real browser, and real clients miss nothing while the server is killed'
  # The clients beside the browser, since they wait most of the time. With the other engine: scripts/clients.sh async
  beside scripts/clients.sh blocking
  status=0
  COMET_CHAT_FULL=$(realpath "${CARGO_TARGET_DIR:-target}/debug/comet-chat-full") scripts/browser.sh || status=$?
  end_beside || status=$?
  ((status == 0)) || exit "$status"
fi

finish_step
