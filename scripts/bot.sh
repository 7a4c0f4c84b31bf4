#!/bin/sh
# A chat bot. It answers when somebody says its name: "bot: ping".
#
#   ROOM=lobby,workshop scripts/bot.sh [http://127.0.0.1:8080]
#
# Needs curl 7.71 or later, and jq. From the environment:
#
#   ROOM=lobby                 its rooms, as in an address
#   NAME=bot                   its name
#   CURL=FILE                  what curl reads first, if the chat has a passphrase: user = "bot:PASSPHRASE", or
#                              header = "Authorization: Bearer TOKEN"
#   NOTE=NAME.ROOM.cursor      the file with its cursor: it has answered everything up to there
#
# It misses nothing and says nothing twice, whether it restarts or the server does. Each line of the stream has a
# cursor, which the bot notes after its answer. If it ends between the two, it answers once more under the same id,
# and the server publishes an id once (within ten minutes).
set -u
url=${1:-http://127.0.0.1:8080} room=${ROOM:-lobby} name=${NAME:-bot}
note=${NOTE:-$name.$room.cursor} tab=$(printf '\t') pause=1

answer() { # WHO TEXT, both with backslashes before what would break a line
  case $2 in
    ping*) printf %b "$1: pong${2#ping}" ;;
    time*) printf %b "$1: it is $(date +%H:%M)" ;;
    *) printf %b "$1: I know ping and time" ;;
  esac
}

# Asks again until there is an answer. A refusal is one too: 422 says that the message has its answer already.
publish() { # ROOM ID TEXT
  curl ${CURL:+--config "$CURL"} -sS -o /dev/null --max-time 20 --retry 300 --retry-delay 1 --retry-all-errors \
    --data-urlencode "name=$name" --data-urlencode "id=$2" --data-urlencode "message=$3" "$url/chat/$1"
}

# Fails if nothing came. A beat comes every 15 s; a stream without one is dead.
follow() {
  curl ${CURL:+--config "$CURL"} -sSN --fail --speed-limit 1 --speed-time 40 -H 'Accept: application/x-ndjson' \
    "$url/chat/$room?kinds=message&after=$(cat "$note" 2>/dev/null || echo latest)" |
    jq -r --unbuffered --arg me "$name" '[.next, .kind, (.room // "-" | @uri), "\($me | @uri)-\(.id)",
      .name // "you", .text // "-"] | @tsv' | {
    came=false
    while IFS=$tab read -r next kind in id who text; do
      came=true
      [ "$kind" = message ] && [ "$who" != "$name" ] && case $text in
        "$name: "* | "@$name "*) publish "$in" "$id" "$(answer "$who" "${text#*"$name"*" "}")" || break ;;
      esac
      echo "$next" >"$note.new" && mv "$note.new" "$note"
    done
    $came
  }
}

while :; do
  if follow; then pause=1; else pause=$((pause < 16 ? pause * 2 : 30)); fi
  sleep "$pause"
done
