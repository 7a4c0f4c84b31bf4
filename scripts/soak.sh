#!/usr/bin/env bash
# A soak: visitors come, chat, go and come back for a long time. None of them may lose a message, whoever leaves
# must have left, and the server's memory, threads and files must stay flat.
#
#   scripts/soak.sh [DIRECTORY]    default: target/soak
#
# It writes for each engine its findings as JSON, a plot as SVG and the server's log into the directory. It takes
# 20 minutes for each engine. From the environment:
#
#   ENGINES="blocking async"       which
#   SECONDS_EACH=1200              how long each
#   VISITORS=2000 ROOMS=20         how many, and over how many rooms they are spread
#   RATE=20                        messages a second, in all rooms
#   STORE=sqlite:                  where the messages are kept; sqlite: is a fresh file in the directory
#
# Needs nothing but Rust.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
source scripts/processes.sh

directory=${1:-target/soak}
read -ra engines <<<"${ENGINES:-blocking async}"
seconds=${SECONDS_EACH:-1200}
store=${STORE:-sqlite:}
binary=${CARGO_TARGET_DIR:-target}/release/comet-chat

cargo build --release --features full
mkdir -p "$directory"
directory=$(realpath "$directory")
trap end_processes EXIT

failed=0
for engine in "${engines[@]}"; do
  rm -f "$directory/$engine".*
  [[ $store == sqlite: ]] && where=sqlite:$directory/$engine.db || where=$store
  start_server "$directory/$engine" "$binary" --listen 127.0.0.1:0 --engine "$engine" --store "$where"
  printf '%s: %s s, %s visitors\n' "$engine" "$seconds" "${VISITORS:-2000}"
  "$binary" bench "$url" --soak --seconds "$seconds" --waiters "${VISITORS:-2000}" --rooms "${ROOMS:-20}" \
    --rate "${RATE:-20}" --pid "$server" --plot "$directory/$engine.svg" --json >"$directory/$engine.json" || failed=1
  end_processes
  rm -f "$directory/$engine.db"*
done

printf '%s\n' "$directory"/*.json "$directory"/*.svg
((failed == 0)) || fail 'Something was wrong: see above.'
