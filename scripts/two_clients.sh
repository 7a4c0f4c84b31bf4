#!/usr/bin/env bash
# Two curl clients chat through a server, and then speak the plain protocol of 2008.
#
#   scripts/two_clients.sh                        starts a server on a free port, and ends it
#   scripts/two_clients.sh http://127.0.0.1:8080  uses one that runs
#
# Exits with 0 if everything was as it should be, otherwise with 1 and a reason.
set -euo pipefail
cd "$(dirname "$0")/.."

# ---------------------------------------------------------------- what it looks like

if [[ -t 1 ]]; then
  bold=$'\e[1m' dim=$'\e[2m' blue=$'\e[34m' magenta=$'\e[35m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' blue='' magenta='' green='' red='' plain=''
fi

chapter() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
note() { printf '  %s%s%s\n' "$dim" "$1" "$plain"; }
right() { printf '  %s✓%s %s\n' "$green" "$plain" "$1"; }
fail() {
  printf '\n%s✗ %s%s\n' "$red" "$1" "$plain" >&2
  exit 1
}
expect() { # WHAT ACTUAL EXPECTED
  [[ "$2" == "$3" ]] || fail "$1: got \"$2\" instead of \"$3\""
}

# ---------------------------------------------------------------- the server, and the end of it

scratch=$(mktemp -d)
server=''
clients=()
cleanup() {
  for pid in "${clients[@]}" $server; do
    kill "$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

start_server() {
  local binary=${COMET_CHAT:-}
  if [[ -z "$binary" ]]; then
    cargo build --quiet --bin comet-chat || fail 'the server does not build'
    binary=${CARGO_TARGET_DIR:-target}/debug/comet-chat
  fi
  "$binary" --listen 127.0.0.1:0 --store memory: >"$scratch/stdout" 2>"$scratch/stderr" &
  server=$!
  for _ in {1..600}; do
    url=$(grep -oEm1 'http://[^/ ]+' "$scratch/stdout" || true)
    [[ -n "$url" ]] && return
    kill -0 "$server" 2>/dev/null || fail "the server ended: $(cat "$scratch/stderr")"
    sleep 0.1
  done
  fail 'the server did not print its address within a minute'
}

command -v curl >/dev/null || fail 'curl is not installed'
url=${1:-}
url=${url%/}
if [[ -z "$url" ]]; then
  start_server
  note "A server was started at $url (process $server)."
fi
# A busy machine may need more than the 2 s that a check has. Where nobody listens, curl tries it once.
curl --silent --show-error --fail --max-time 5 --retry 5 "$url/health" >/dev/null || fail "no comet-chat answers at $url"
room=demo-$$-$RANDOM

# ---------------------------------------------------------------- what clients do

curl_chat() { curl --silent --show-error --max-time 30 "$@"; }

header() { # NAME FILE
  tr -d '\r' <"$2" | sed -n "s/^$1: //Ip"
}

# Reads on and on: the Link header of every reply has the address of the next request.
follow() { # NAME COLOUR TARGET COUNT
  local name=$1 colour=$2 next=$3 count=$4 text status seen=0
  while ((seen < count)); do
    status=$(curl_chat --dump-header "$scratch/$name.head" --output "$scratch/$name.body" \
      --write-out '%{http_code}' "$url$next")
    next=$(header Link "$scratch/$name.head" | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
    [[ -n "$next" ]] || fail "$name was not told where to go on"
    case $status in
      200) ;;
      204) continue ;;
      *) fail "$name was answered $status" ;;
    esac
    text=$(cat "$scratch/$name.body")
    seen=$((seen + 1))
    printf '%s\n' "$text" >>"$scratch/$name.read"
    printf '  %s%-4s reads  %s%s   %s%s%s\n' "$colour" "$name" "$text" "$plain" "$dim" "next: $next" "$plain"
  done
}

say() { # NAME COLOUR TEXT
  local answer
  printf '  %s%-4s says   %s%s\n' "$2" "$1" "$3" "$plain"
  answer=$(curl_chat --data-urlencode "name=$1" --data-urlencode "message=$3" "$url/chat/$room")
  expect "$1 speaks" "$answer" ok
}

# ---------------------------------------------------------------- 1

chapter '1. Two clients chat, each following the next link'
note "curl $url/chat/$room?after=CURSOR"
note "curl -d name=ann -d message=... $url/chat/$room"
start=$(curl_chat --dump-header - --output /dev/null "$url/chat/$room?after=latest&wait=0" |
  tr -d '\r' | sed -n 's/^Link: <\(.*\)>; rel="next"$/\1/Ip')
[[ -n "$start" ]] || fail 'the room does not say where it begins'

follow ann "$blue" "$start" 2 &
clients+=($!)
follow bob "$magenta" "$start" 2 &
clients+=($!)
say ann "$blue" 'Is anybody here?'
say bob "$magenta" 'Yes: größe, 部屋 & 100% 🦀'
for pid in "${clients[@]}"; do
  wait "$pid" || fail 'a client did not get its messages'
done
clients=()
expect 'ann reads' "$(cat "$scratch/ann.read")" $'Is anybody here?\nYes: größe, 部屋 & 100% 🦀'
expect 'bob reads' "$(cat "$scratch/bob.read")" "$(cat "$scratch/ann.read")"
right 'Both have both messages, in one order.'

# ---------------------------------------------------------------- 2

chapter '2. The plain protocol of 2008: a GET waits for the next message'
note "curl $url/chat/$room"
curl_chat "$url/chat/$room" >"$scratch/heard" &
listener=$!
clients+=("$listener")
# Only a client that waits already gets a message: the answer says how many did.
until [[ "$(curl_chat -H 'Accept: application/json' -d 'message=hello, 2008' "$url/chat/$room")" == *'"delivered":1'* ]]; do
  kill -0 "$listener" 2>/dev/null || fail 'the listener was answered too early'
done
wait "$listener" || fail 'the listener was not answered'
clients=()
expect 'the listener hears' "$(cat "$scratch/heard")" 'hello, 2008'
right 'It was answered with exactly the text: hello, 2008'

# ---------------------------------------------------------------- 3

chapter '3. Nobody speaks: 404 after the wait'
wait_in_vain() { # QUERY
  curl_chat --output /dev/null --write-out '%{http_code} %{time_total}' "$url/chat/$room$1"
}
note "curl $url/chat/$room?wait=1"
read -r status seconds <<<"$(wait_in_vain '?wait=1')"
expect 'a wait of one second' "$status" 404
right "404 after $seconds s"
note "curl $url/chat/$room"
read -r status seconds <<<"$(wait_in_vain '')"
expect 'a wait of ten seconds' "$status" 404
((${seconds%.*} >= 10)) || fail "the wait lasted only $seconds s"
right "404 after $seconds s, which is the default"

printf '\n%s✓ Everything was as it should be.%s\n' "$green" "$plain"
