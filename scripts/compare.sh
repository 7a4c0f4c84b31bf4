#!/usr/bin/env bash
# Both engines and the floor, side by side: what a waiter and a delivery cost each of them.
#
#   scripts/compare.sh [DIRECTORY]        default: target/compare
#
# Writes report.html (self-contained, with plots), report.json and summary.svg into the directory,
# and every single run beside them. From the environment:
#
#   ENGINES="floor blocking async"        who is compared
#   WAITERS="10 100 1000 5000 9000"       how many wait
#   REPEATS=3                             how often all of it is repeated; medians are told
#   LIMIT=600                             seconds after the build into which repeats must fit, but the
#                                         first: a busy machine gets fewer of them
#
# The runs of one repeat are interleaved: each number of waiters goes through all engines before the
# next, so that a noisy minute of the machine meets them alike. Each run has a fresh server. With
# two processors or more, the server has one to itself and the load another.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=${1:-target/compare}
engines=${ENGINES:-floor blocking async}
waiters=${WAITERS:-10 100 1000 5000 9000}
repeats=${REPEATS:-3}
limit=${LIMIT:-600}
binary=${CARGO_TARGET_DIR:-target}/release/comet-chat

on_server=() on_load=()
if command -v taskset >/dev/null && (($(nproc) > 1)); then
    on_server=(taskset -c 0) on_load=(taskset -c 1)
fi

features=bench
[[ " $engines " == *" async "* ]] && features+=,async
cargo build --release --features "$features"

runs=$directory/runs
rm -rf "$runs"
mkdir -p "$runs"
server=
stop_server() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}
trap stop_server EXIT

# Starts an engine on a free port, and sets $server and $url.
start_server() {
    local said=$directory/server.out
    : >"$said"
    if [[ $1 == floor ]]; then
        "${on_server[@]}" "$binary" bench --floor 127.0.0.1:0 >"$said" 2>"$directory/server.err" &
    else
        "${on_server[@]}" "$binary" --engine "$1" --store memory: --listen 127.0.0.1:0 \
            >"$said" 2>"$directory/server.err" &
    fi
    server=$!
    for _ in {1..200}; do
        url=$(grep -om1 'http://[0-9.]*:[0-9]*' "$said" || true)
        [[ -n $url ]] && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    echo "the $1 server did not start:" >&2
    cat "$directory/server.err" >&2
    exit 2
}

# One run: its name, the engine, and the arguments of the benchmark.
failed=0
measure() {
    local name=$1 engine=$2 code=0
    shift 2
    start_server "$engine"
    "${on_load[@]}" "$binary" bench "$url" --json --pid "$server" "$@" \
        >"$runs/$name.json" 2>"$runs/$name.err" || code=$?
    stop_server
    if ((code != 0)); then
        failed=1
        echo "$name: $(tail -n 1 "$runs/$name.err")"
    fi
}

# So many messages that each run takes a few seconds, with enough deliveries for the kernel's clock of 10 ms
# to measure their cost.
rounds_for() {
    if (($1 <= 20)); then echo 500
    elif (($1 <= 200)); then echo 100
    elif (($1 <= 2000)); then echo 20
    elif (($1 <= 6000)); then echo 4
    else echo 3; fi
}

SECONDS=0 done=0
for repeat in $(seq "$repeats"); do
    if ((done > 0 && SECONDS + SECONDS / done > limit)); then
        echo "$done of $repeats repeats took $SECONDS s: one more would not fit into $limit s"
        break
    fi
    for count in $waiters; do
        for engine in $engines; do
            echo "repeat $repeat of $repeats: $engine, $count waiters"
            measure "fan-out.$engine.$count.$repeat" "$engine" \
                --mode fan-out --waiters "$count" --rounds "$(rounds_for "$count")"
        done
    done
    for engine in $engines; do
        # The floor gives one message a reply; its firehose would take longer than everything else.
        [[ $engine == floor ]] && continue
        echo "repeat $repeat of $repeats: $engine, firehose"
        measure "firehose.$engine.100.$repeat" "$engine" \
            --mode firehose --waiters 100 --publishers 4 --messages 1000
    done
    done=$repeat
done

pinned=false
((${#on_server[@]} > 0)) && pinned=true
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
cat >"$directory/about.json" <<JSON
{"commit": "$commit", "command": "scripts/compare.sh", "engines": "$engines",
 "waiters": "$waiters", "repeats": $done, "pinned": $pinned}
JSON

"$binary" bench --report "$directory"
exit $failed
