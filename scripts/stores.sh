#!/usr/bin/env bash
# What a message costs on each store, and how many several instances take on one Redis.
#
#   scripts/stores.sh [DIRECTORY]        default: target/stores
#
# Prints tables in Markdown, and leaves every single run as JSON in the directory. From the environment:
#
#   STORES="memory: sqlite: redis:"      which stores; Redis writes each message to its file at once, as SQLite does
#   ENGINES="blocking async"
#   INSTANCES="1 2 3"                    how many share one Redis
#
# Needs Rust; jq and redis-server it installs with apt-get if it may, or says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
source scripts/processes.sh

need jq jq
# The package must not start a server of its own.
export RUNLEVEL=1
need redis-server redis-server

directory=${1:-target/stores}
read -ra stores <<<"${STORES:-memory: sqlite: redis:}"
read -ra engines <<<"${ENGINES:-blocking async}"
read -ra instances <<<"${INSTANCES:-1 2 3}"
cargo build --release --features bench,async,redis
binary=${CARGO_TARGET_DIR:-target}/release/comet-chat
rm -rf "$directory"
mkdir -p "$directory"
directory=$(realpath "$directory")

trap end_processes EXIT

# Starts a Redis with nothing in it, and sets $redis_port.
start_empty_redis() {
  rm -rf "$directory/redis"
  mkdir "$directory/redis"
  start_redis "$directory/redis"
}

start() { # ENGINE STORE
  start_server "$directory/server" "$binary" --listen 127.0.0.1:0 --engine "$1" --store "$2"
}

measure() { # NAME ARGUMENTS...
  local name=$1
  shift
  "$binary" bench "$url" --json --pid "$server" "$@" >"$directory/$name.json" 2>"$directory/$name.err" ||
    fail "$name: $(tail -n 1 "$directory/$name.err")"
}

figure() { # NAME JQ
  jq -r "$2" "$directory/$1.json"
}

printf '| store | engine | 200 messages a second: `ok` after, p50 and p99 | 16 publishers: messages a second | one message to 200 waiters: p50 and p99 | CPU of the server for a delivery and the next poll |\n|---|---|---|---|---|---|\n'
for store in "${stores[@]}"; do
  for engine in "${engines[@]}"; do
    name=${store%:}.$engine
    case $store in
      redis:) start_empty_redis && address=redis://127.0.0.1:$redis_port ;;
      sqlite:) rm -f "$directory"/chat.db* && address=sqlite:$directory/chat.db ;;
      *) address=$store ;;
    esac
    start "$engine" "$address"
    measure "publish.$name" --mode publish --rate 200 --seconds 5
    measure "firehose.$name" --mode firehose --waiters 1 --publishers 16 --messages 500
    measure "fan-out.$name" --mode fan-out --waiters 200 --rounds 50
    end_processes
    printf '| %s | %s | %s | %s | %s | %s us |\n' "$store" "$engine" \
      "$(figure "publish.$name" '"\(.answer.p50 / 10 | round / 100) ms, \(.answer.p99 / 10 | round / 100) ms"')" \
      "$(figure "firehose.$name" '.acknowledged / .seconds | round')" \
      "$(figure "fan-out.$name" '"\(.delivery.p50 / 10 | round / 100) ms, \(.delivery.p99 / 10 | round / 100) ms"')" \
      "$(figure "fan-out.$name" '.server.per_delivery.cpu_us | round')"
  done
done

printf '\n| instances on one Redis | messages a second, each instance in a room of its own |\n|---|---|\n'
for count in "${instances[@]}"; do
  start_empty_redis
  loads=()
  for ((i = 1; i <= count; i++)); do
    start "${engines[i % ${#engines[@]}]}" "redis://127.0.0.1:$redis_port"
    urls[i]=$url servers[i]=$server
  done
  for ((i = 1; i <= count; i++)); do
    url=${urls[i]} server=${servers[i]}
    measure "instances-$count.$i" --mode firehose --waiters 1 --publishers 16 --messages 500 &
    loads+=($!)
  done
  for load in "${loads[@]}"; do wait "$load"; done
  end_processes
  printf '| %s | %s |\n' "$count" \
    "$(jq -s '(map(.acknowledged) | add) / (map(.seconds) | max) | round' "$directory/instances-$count".*.json)"
done
