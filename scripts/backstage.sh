#!/usr/bin/env bash
# What the backstage costs a server: with --lesson alone, and while one page looks at it.
#
#   scripts/backstage.sh [DIRECTORY]     default: target/backstage
#
# Prints a table in Markdown: the server's time on a processor, in percent of one core, while nobody speaks and the
# waiters do nothing but wait and poll again every 10 s. From the environment:
#
#   ENGINES="blocking async"
#   WAITERS=5000
#   SECONDS_EACH=20      how long each figure is measured
#   ROUNDS=3             how often; the three figures of a round are measured one after the other
#
# Needs Rust; curl it installs with apt-get if it may, or says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
source scripts/processes.sh

need curl curl

directory=${1:-target/backstage}
read -ra engines <<<"${ENGINES:-blocking async}"
waiters=${WAITERS:-5000}
seconds=${SECONDS_EACH:-20}
rounds=${ROUNDS:-3}
cargo build --release --features full
binary=$(realpath "${CARGO_TARGET_DIR:-target}/release/comet-chat")
rm -rf "$directory"
mkdir -p "$directory"
directory=$(realpath "$directory")

trap end_processes EXIT

# Starts a server and its crowd, and waits until all of it waits.
start() { # ENGINE ARGUMENTS...
  local engine=$1
  shift
  start_server "$directory/server" "$binary" --listen 127.0.0.1:0 --engine "$engine" --store memory: "$@"
  rm -f "$directory/orders"
  mkfifo "$directory/orders"
  "$binary" bench "$url/chat/lobby" --crowd <"$directory/orders" >"$directory/crowd.out" 2>>"$directory/crowd.log" &
  processes+=($!)
  exec 3>"$directory/orders"
  echo "{\"waiters\":$waiters}" >&3
  until_it_holds 'Not all wait' "$directory/crowd.log" all_wait
  # The waits began together. When each has ended once, they end one after the other.
  sleep 11
}

all_wait() {
  grep -q "\"waiting\":$waiters," "$directory/crowd.out"
}

# The server's time on a processor, in ticks.
ticks() {
  awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"
}

# Appends how busy the server is to a list, in percent of a core.
measure() { # NAME
  local before
  before=$(ticks)
  sleep "$seconds"
  awk -v ticks=$(($(ticks) - before)) -v hz="$(getconf CLK_TCK)" -v seconds="$seconds" \
    'BEGIN { printf "%.2f\n", 100 * ticks / hz / seconds }' >>"$directory/$1"
}

stop() {
  exec 3>&-
  end_processes
}

# The median of a list, and between what it varies.
figure() { # NAME
  sort -n "$directory/$1" | awk '{ all[NR] = $1 } END { printf "%s (%s to %s)", all[int((NR + 1) / 2)], all[1], all[NR] }'
}

for ((round = 1; round <= rounds; round++)); do
  for engine in "${engines[@]}"; do
    start "$engine"
    measure "$engine.without"
    stop
    start "$engine" --lesson
    measure "$engine.lesson"
    curl -sN "$url/backstage/events" >"$directory/$engine.frames" &
    processes+=($!)
    measure "$engine.page"
    stop
  done
done

printf '| %s waiters, %% of a core | without | with `--lesson` | and one page |\n|---|---|---|---|\n' "$waiters"
for engine in "${engines[@]}"; do
  printf '| %s | %s | %s | %s |\n' "$engine" "$(figure "$engine.without")" "$(figure "$engine.lesson")" "$(figure "$engine.page")"
done
