#!/usr/bin/env bash
# Both engines and the floor, side by side: what a waiter and a delivery cost each of them, up to how many waiters a
# thread for each is no worse, and what a wake costs with no server around it.
#
#   scripts/compare.sh [DIRECTORY]        default: target/compare
#
# Writes report.html (self-contained, with plots), report.json, and summary.md and summary.svg for a README into the
# directory, and every single run beside them. From the environment:
#
#   ENGINES="floor blocking async"        who is compared
#   PEERS="mochiweb nchan"                who else, if installed (Debian: erlang-mochiweb and erlang-inets;
#                                         libnginx-mod-nchan); default: nobody
#   WAITERS="10 30 100 300 1000 3000 5000"   how many wait
#   FEW="10 100 1000 5000"                how many wait on the floor and the peers
#   CORES="one all"                       one: the server has a core to itself, and the load another;
#                                         all: they share all that there are (the engines alone do that)
#   PROFILE=release                       or dist: how it is built
#   REPEATS=6                             how often all of it is repeated: six give the medians an interval that is
#                                         right with 97 %, fewer a less certain one
#   LIMIT=900                             seconds after the build into which repeats must fit, but the
#                                         first: a busy machine gets fewer of them. It must be quiet for
#                                         other reasons too: where others want a core, a thousand threads
#                                         get a thousand shares of it, and the one worker of a thousand tasks gets one
#
# The runs of one repeat are interleaved: each number of waiters goes through all engines before the
# next, so that a noisy minute of the machine meets them alike. Every second repeat goes through the engines
# backwards, so that none always comes first. Each run has a fresh server.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=${1:-target/compare}
engines=${ENGINES:-floor blocking async}
peers=${PEERS:-}
waiters=${WAITERS:-10 30 100 300 1000 3000 5000}
few=${FEW:-10 100 1000 5000}
cores=${CORES:-one all}
repeats=${REPEATS:-6}
limit=${LIMIT:-900}
source scripts/measured.sh
# What goes before a server, and what before the load.
place() { # CORES
    on_server=() on_load=()
    [[ $1 != one ]] || one_core_each
}

features=bench relays='none-by-socket threads-by-socket threads-by-channel'
if [[ " $engines " == *" async "* ]]; then
    features+=,async relays+=' tasks-by-socket tasks-by-channel'
fi
cargo build --profile "$profile" --features "$features"

runs=$directory/runs
rm -rf "$runs"
mkdir -p "$runs"
told=
for peer in $peers; do
    said=$(about_peer "$peer")
    echo "$peer: $said"
    told+="${told:+, }\"$peer\": \"$said\""
    [[ $said == 'left out'* ]] || engines+=" $peer"
done

# One run: its name, the engine, and the arguments of the benchmark.
failed=0
measure() {
    local name=$1 engine=$2 code=0
    shift 2
    start_server "$engine"
    "${on_load[@]}" "$binary" bench "$url" --json --pid "$serves" "$@" \
        >"$runs/$name.json" 2>"$runs/$name.err" || code=$?
    stop_server
    if ((code != 0)); then
        # What a peer loses stands in the report; it is not our fault.
        [[ " $peers " == *" $engine "* ]] || failed=1
        echo "$name: $(tail -n 1 "$runs/$name.err")"
    fi
}

# So many messages that each run takes about two seconds. With few waiters that is seven thousand deliveries and more: a
# p99 that means something, and enough for the kernel's clock of 10 ms to measure their cost.
rounds_for() {
    if (($1 <= 10)); then echo 700
    elif (($1 <= 50)); then echo 350
    elif (($1 <= 150)); then echo 100
    elif (($1 <= 500)); then echo 35
    elif (($1 <= 1500)); then echo 10
    elif (($1 <= 4000)); then echo 4
    else echo 3; fi
}

# Whether this engine is measured with so many waiters on these cores.
is_measured() { # ENGINE WAITERS CORES
    case $1 in
    blocking | async) [[ " $waiters " == *" $2 "* ]] ;;
    *) [[ $3 == one && " $few " == *" $2 "* ]] ;;
    esac
}

# The engines in the order of this repeat.
in_order() { # REPEAT
    if (($1 % 2)); then echo "$engines"; else tr ' ' '\n' <<<"$engines" | tac | tr '\n' ' '; fi
}

# How busy the machine is with other work, in percent of all its processors, over two seconds.
times() { awk '/^cpu /{print $2 + $3 + $4 + $7 + $8 + $9, $5 + $6}' /proc/stat; }
busy=0
if [[ -r /proc/stat ]]; then
    read -r busy_before idle_before < <(times)
    sleep 2
    read -r busy_after idle_after < <(times)
    busy=$((100 * (busy_after - busy_before) / (busy_after - busy_before + idle_after - idle_before + 1)))
    ((busy < 10)) || echo "The machine is $busy % busy with other work. Figures of now are worth little."
fi

SECONDS=0 done=0
for repeat in $(seq "$repeats"); do
    if ((done > 0 && SECONDS + SECONDS / done > limit)); then
        echo "$done of $repeats repeats took $SECONDS s: one more would not fit into $limit s"
        break
    fi
    echo "repeat $repeat of $repeats, after $SECONDS s"
    for on in $cores; do
        place "$on"
        for relay in $relays; do
            "${on_server[@]}" "$binary" bench --relay "$relay" >"$runs/$on.relay.$relay.500.$repeat.json"
        done
        for count in $(tr ' ' '\n' <<<"$waiters $few" | sort -nu); do
            for engine in $(in_order "$repeat"); do
                is_measured "$engine" "$count" "$on" || continue
                echo "    $on: $engine, $count waiters"
                measure "$on.fan-out.$engine.$count.$repeat" "$engine" \
                    --mode fan-out --waiters "$count" --rounds "$(rounds_for "$count")"
            done
        done
    done
    # The floor gives one message a reply; its firehose would take longer than everything else. The peers lose
    # messages in one, or give one a reply as well.
    place one
    for engine in $(in_order "$repeat"); do
        [[ $engine == blocking || $engine == async ]] || continue
        echo "    $engine, firehose"
        measure "one.firehose.$engine.100.$repeat" "$engine" \
            --mode firehose --waiters 100 --publishers 4 --messages 100
    done
    done=$repeat
done
echo "$done repeats took $SECONDS s"

commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
command=scripts/compare.sh
[[ -z $peers ]] || command="PEERS='$peers' $command"
cat >"$directory/about.json" <<JSON
{"commit": "$commit", "command": "$command", "engines": "$engines",
 "waiters": "$waiters", "repeats": $done, "pinned": $pinned, "busy": $busy, "peers": {$told}}
JSON

"$binary" bench --report "$directory"
exit $failed
