#!/usr/bin/env bash
# How fast the server takes messages, and how soon it answers: what scripts/compare.sh, which is about those who wait,
# does not measure.
#
#   scripts/speed.sh [DIRECTORY]          default: target/speed
#
# Prints one table, and leaves every single run in the directory. From the environment:
#
#   PEERS="mochiweb nchan"                who else takes messages, if installed; default: nobody
#   SENDERS=64                            how many senders, each of whom sends its next message when the last is answered
#   MESSAGES=400                          how many messages each of them sends
#   KEPT=1000000                          how many messages are in the store, in 100 rooms, for the start; 0: no start
#   PROFILE=release                       or dist: how it is built
#   REPEATS=5                             how often all of it is repeated; the figures are medians
#
# The runs of one repeat are interleaved, and each has a fresh server. The server has a core to itself and the load
# another, where there are two.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=${1:-target/speed}
peers=${PEERS:-}
senders=${SENDERS:-64}
messages=${MESSAGES:-400}
kept=${KEPT:-1000000}
repeats=${REPEATS:-5}
source scripts/measured.sh
one_core_each
cargo build --profile "$profile" --features bench,async
rm -rf "$directory"
mkdir -p "$directory"
directory=$(realpath "$directory")

all='blocking-memory async-memory blocking-sqlite async-sqlite'
there=
for peer in $peers; do
    said=$(about_peer "$peer")
    echo "$peer: $said"
    [[ $said == 'left out'* ]] || there+=" $peer"
done
all+=$there

# One run: messages a second.
rate() { # NAME REPEAT
    local run=$directory/$1.$2 store=memory:
    if [[ $1 == *-sqlite ]]; then
        rm -rf "$directory/chat.db"*
        store=sqlite:$directory/chat.db
    fi
    start_server "${1%-*}" "$store"
    "${on_load[@]}" "$binary" bench "$url" --json --mode firehose --waiters 0 --publishers "$senders" \
        --messages "$messages" >"$run.json"
    stop_server
    awk -F "[:,]" '/^  "seconds"/ {seconds = $2} /^  "published"/ {published = $2} END {print published / seconds}' "$run.json" >>"$directory/$1.all"
}

# One run: milliseconds from exec to the first answer.
start() { # NAME
    local port began status
    port=$(free_port)
    began=$EPOCHREALTIME
    "${on_server[@]}" "$binary" --engine "${1%-start}" --store "sqlite:$directory/kept.db" --listen "127.0.0.1:$port" \
        >"$directory/server.out" 2>"$directory/server.err" &
    server=$!
    until exec 3<>"/dev/tcp/127.0.0.1/$port"; do
        kill -0 "$server" || { echo "$1 did not start: $(tail -n 1 "$directory/server.err")"; exit 2; }
    done 2>/dev/null
    printf 'GET /chat/r7?last=1 HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
    read -r status <&3
    awk "BEGIN {print 1000 * ($EPOCHREALTIME - $began)}" >>"$directory/$1.all"
    exec 3>&-
    [[ $status == *' 200 '* ]] || { echo "$1: $status" >&2; exit 1; }
    stop_server
}

median() { # NAME
    sort -n "$directory/$1.all" | awk '{all[NR] = $1} END {print (all[int((NR + 1) / 2)] + all[int(NR / 2) + 1]) / 2}'
}

starts=
if ((kept > 0)); then
    starts='blocking-start async-start'
    awk -v each=$((kept / 100)) 'BEGIN {
        for (room = 0; room < 100; room++) {
            printf "{\"comet-chat\":\"room\",\"version\":2,\"room\":\"r%d\"}\n", room
            for (n = 1; n <= each; n++)
                printf "{\"id\":\"0123abcd-%d-%08x\",\"kind\":\"message\",\"name\":null,\"text\":\"number %d\",\"at\":\"2026-01-01T00:00:00.000Z\"}\n", n, n, n
            printf "{\"end\":\"r%d\",\"entries\":%d}\n", room, each
        }
    }' | "$binary" import --store "sqlite:$directory/kept.db" 2>"$directory/import.err" >&2 ||
        { tail -n 1 "$directory/import.err" >&2; exit 1; }
fi

for repeat in $(seq "$repeats"); do
    echo "repeat $repeat of $repeats"
    for name in $all; do rate "$name" "$repeat"; done
    for name in $starts; do start "$name"; done
done

echo
echo "| $senders senders | messages a second | to the same engine in memory |"
echo '|---|---|---|'
for name in $all; do
    yardstick=${name%-sqlite}-memory
    [[ $name == *-sqlite ]] || yardstick=$name
    awk -v name="${name/-/, }" -v rate="$(median "$name")" -v to="$(median "$yardstick")" \
        'BEGIN {printf "| %s | %.0f | %.2f |\n", name, rate, rate / to}'
done
for peer in $there; do
    for name in blocking-memory async-memory; do
        awk -v name="${name/-/, } to $peer" -v rate="$(median "$name")" -v to="$(median "$peer")" \
            'BEGIN {printf "| %s | | %.2f |\n", name, rate / to}'
    done
done
for name in $starts; do
    printf '\n%s engine: %.0f ms from exec to the first answer, with %d messages in the store\n' "${name%-start}" "$(median "$name")" "$kept"
done
