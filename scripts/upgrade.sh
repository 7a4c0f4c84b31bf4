#!/usr/bin/env bash
# Swaps the program of a running server while curl clients talk: the hot code swapping of the chat of 2008, in Rust.
#
#   scripts/upgrade.sh
#
# It starts a server with a copy of the program, lets two clients speak and one follow, puts another copy in its place,
# and sends SIGUSR2, three times. Nobody may be refused, and nothing that was answered `ok` may be lost. From the
# environment:
#
#   ENGINE=blocking                the engine
#   SWAPS=3 BETWEEN=20             how often, and how many messages are answered `ok` before each swap
#
# Exits with 0 if everything was as it should be. Needs curl and jq.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
source scripts/processes.sh

need curl curl
need jq jq
engine=${ENGINE:-blocking}
features=()
[[ $engine == async ]] && features=(--features async)
cargo build --quiet --release "${features[@]}"

scratch=$(mktemp -d)
finish() {
  trap - EXIT INT TERM
  touch "$scratch/end"
  end_processes
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

install_program() {
  cp "${CARGO_TARGET_DIR:-target}/release/comet-chat" "$scratch/new"
  mv "$scratch/new" "$scratch/comet-chat"
}

install_program
start_server "$scratch/server" "$scratch/comet-chat" --engine "$engine" --listen 127.0.0.1:0 --store "sqlite:$scratch/chat.db"
printf 'The %s engine serves at %s, process %s.\n' "$engine" "$url" "$server"

# Speaks until the end, each message on a new connection, again and again until it is answered ok. curl ends with 7
# if it is refused.
speak() { # NAME
  local number=0 code answer
  while [[ ! -e $scratch/end ]]; do
    number=$((number + 1))
    while :; do
      code=0
      answer=$(curl -sS --max-time 30 -d "name=$1" -d "id=$1-$number" -d "message=$1-$number" "$url/chat" \
        2>>"$scratch/curl") || code=$?
      if [[ $answer == ok ]]; then break; fi
      if ((code == 7)); then touch "$scratch/refused"; fi
      sleep 0.05
    done
    printf '%s\n' "$1-$number" >>"$scratch/ok"
  done
}

# Follows until the last words.
follow() {
  local next=oldest
  while ! tail -n 1 "$scratch/heard" | grep -qx 'the end'; do
    curl -sS --max-time 60 -H 'Accept: application/json' "$url/chat?after=$next&kinds=message" \
      >"$scratch/reply" 2>>"$scratch/curl" || { sleep 0.05 && continue; }
    # A wait in which nothing came has no body.
    [[ -s $scratch/reply ]] || continue
    if [[ $(jq -r '.gap // empty' "$scratch/reply") == true ]]; then touch "$scratch/gap"; fi
    jq -r '.messages[]?.text' "$scratch/reply" >>"$scratch/heard"
    next=$(jq -r --arg next "$next" '.next // $next' "$scratch/reply")
  done
}

touch "$scratch/ok" "$scratch/heard" "$scratch/curl"
speak anna &
speakers=$!
speak ben &
speakers+=" $!"
follow &
follower=$!

count_ok() { wc -l <"$scratch/ok"; }
have_said() { (($(count_ok) >= $1)); }
runs_the_new_one() { [[ /proc/$server/exe -ef $scratch/comet-chat ]]; }

between=${BETWEEN:-20}
for ((swap = 1; swap <= ${SWAPS:-3}; swap++)); do
  until_it_holds 'Nobody is answered' "$log" have_said $((swap * between))
  install_program
  kill -USR2 "$server"
  until_it_holds 'The new program does not run' "$log" runs_the_new_one
  printf '  swap %s, after %s messages\n' "$swap" "$(count_ok)"
done
until_it_holds 'Nobody is answered' "$log" have_said $(($(count_ok) + between))
touch "$scratch/end"
# shellcheck disable=SC2086 # Two numbers.
wait $speakers
[[ $(curl -sS --retry 5 -d 'message=the end' "$url/chat") == ok ]] || fail 'The last words were not answered ok.'
wait "$follower"

[[ ! -e $scratch/refused ]] || fail "A client was refused: $(cat "$scratch/curl")"
[[ ! -e $scratch/gap ]] || fail 'A gap was announced.'
diff <(sort "$scratch/ok") <(grep -vx 'the end' "$scratch/heard" | sort) >&2 ||
  fail 'What was answered ok and what was heard differ.'
printf 'Right: %s messages were answered ok, each was heard once, and nobody was refused.\n' "$(count_ok)"
