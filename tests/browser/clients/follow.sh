#!/bin/sh
# Follows rooms with curl, by lines of JSON: prints ROOM, a tab and TEXT of each message. Needs jq.
#
#   follow.sh http://127.0.0.1:8080/chat/lobby,kitchen
set -u
cursor=oldest tab=$(printf '\t') note=$(mktemp)
trap 'rm -f "$note"' EXIT
while :; do
  curl -sN --fail -H 'Accept: application/x-ndjson' "$1?kinds=message&after=$cursor" |
    jq -r --unbuffered '[.next, .kind, .room // "-", .text // "-"] | @tsv' 2>/dev/null |
    while IFS=$tab read -r next kind room text; do
      [ "$kind" != message ] || printf '%s\t%s\n' "$room" "$text"
      echo "$next" >"$note"
    done
  [ ! -s "$note" ] || cursor=$(cat "$note")
  sleep 0.2
done
