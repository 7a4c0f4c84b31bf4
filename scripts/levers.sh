#!/usr/bin/env bash
# The backstage of both engines in a terminal: what the page shows, its levers and its switches.
#
#   scripts/levers.sh                        what there is now
#   scripts/levers.sh waiters=1000 rate=2    moves levers, and waits until so many wait
#   scripts/levers.sh stall on               turns a failure on, or off
#   scripts/levers.sh watch 10               what 10 s cost
#
# It asks the servers whose addresses are in BLOCKING and ASYNC: those that scripts/lesson.sh started. It needs curl and jq.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
need curl curl
need jq jq
[[ -n ${BLOCKING:-} && -n ${ASYNC:-} ]] || fail 'Set BLOCKING and ASYNC to the addresses of the two servers of scripts/lesson.sh.'

# Frames of so many seconds, whole ones, as JSON. The end of the time ends curl with an error.
frames() { # SERVER SECONDS
  { curl --silent --no-buffer --max-time "$2" "$1/backstage/events" 2>/dev/null || true; } | sed -n 's/^data: \(.*}\)$/\1/p'
}

# Asks, and says what a server refuses. One that stalls answers in its own time.
ask() { # SERVER PATH JSON
  local said
  said=$(curl --silent --show-error --fail-with-body --max-time 60 --data "$3" "$1/backstage/$2") ||
    fail "$1 refuses that: $said"
}

now='def mb: . / 1e5 | round / 10;
  def named: to_entries | map(select(.key != "all" and .value > 0) | "\(.value) \(.key)") | join(", ");
  "\(.engine): \(.waiters) wait",
  "  threads  \(.threads.all): \(.threads | named)",
  (.tasks // empty | "  tasks    \(named)"),
  "  memory   \(.memory.resident | mb) MB, and \(.memory.kernel_stacks | mb) MB of kernel stacks",
  "  files    \(.files)",
  (.restarts | select(.rooms + .store > 0) | "  restarts \(.rooms) of rooms, \(.store) of the store")'

# Times are of all messages of the crowd: when the first waiter had one, and the last.
cost='def ms: if length > 0 then sort | .[length / 2 | floor] / 1e3 * 10 | round / 10 else "?" end;
  if length < 2 then "a server says nothing" else
  .[0] as $a | .[-1] as $b | [.[].crowd.posts[]?] as $posts | ($b.deliveries - $a.deliveries) as $n
  | "\($b.engine): \($n) deliveries in \(($b.at - $a.at) / 1e3 | round) s",
  (select($n > 0)
    | "  CPU               \(([$b, $a] | map(.cpu.user + .cpu.system) | .[0] - .[1]) * 1e6 / $n | round) us a delivery",
      "  context switches  \(($b.switches.voluntary - $a.switches.voluntary) / $n * 100 | round / 100) a delivery",
      "  a message is at the first waiter after \($posts | map(.first_us // empty) | ms) ms, at the last after \($posts | map(.last_us // empty) | ms) ms (medians)"),
  (([.[].crowd.did // {} | to_entries[]] | group_by(.key) | map({did: .[0].key, times: (map(.value) | add)}))
    + [{did: "lost", times: ([.[].crowd.lost // 0] | add)}]
    | map(select(.times > 0) | "\(.times) \(.did)")
    | select(length > 0) | "  clients           \(join(", "))")
  end'

case ${1:-} in
'')
  for server in "$BLOCKING" "$ASYNC"; do
    frames "$server" 2 | tail -n 1 | jq --raw-output "$now"
  done
  ;;
watch)
  seconds=${2:-10}
  # Both at the same time, as the page shows them.
  other=$(mktemp)
  trap 'rm -f "$other"' EXIT
  frames "$ASYNC" "$seconds" >"$other" &
  frames "$BLOCKING" "$seconds" | jq --raw-output --slurp "$cost"
  wait $!
  jq --raw-output --slurp "$cost" "$other"
  ;;
*=*)
  levers=$(printf '%s\n' "$@" | jq --raw-input 'split("=") | {(.[0]): (.[1] | tonumber)}' | jq --slurp --compact-output add)
  waiters=$(jq '.waiters // empty' <<<"$levers")
  for server in "$BLOCKING" "$ASYNC"; do
    ask "$server" levers "$levers"
  done
  for server in "$BLOCKING" "$ASYNC"; do
    for _ in {1..60}; do
      [[ -n $waiters ]] || break
      waiting=$(frames "$server" 1 | tail -n 1 | jq .waiters)
      [[ $waiting != "$waiters" ]] || break
    done
  done
  printf 'both: %s\n' "$levers"
  ;;
*)
  [[ ${2:-} == o[nf]* ]] || fail "Turn it on or off: scripts/levers.sh $1 on"
  for server in "$BLOCKING" "$ASYNC"; do
    ask "$server" "failures/$1" "{\"on\":$([[ $2 == on ]] && echo true || echo false)}"
  done
  printf 'both: %s is %s\n' "$1" "$2"
  ;;
esac
