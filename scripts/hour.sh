#!/usr/bin/env bash
# Runs the hour of the lesson (README.md, "The hour") without a person: its commands, in their order, each with what it
# printed. They are read from README.md.
#
#   scripts/hour.sh [FILE]        default: tests/lesson/hour.txt
#   PORTS="8080 8081"             the ports of the blocking and the async engine
#
# It needs curl and jq, and a machine that has nothing else to do: README.md quotes its figures. It takes two minutes after the
# build.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
source scripts/processes.sh
need curl curl
need jq jq

file=${1:-tests/lesson/hour.txt}
# Before the file is written, which may be one of the tree.
commit=$(git describe --always --dirty)
folder=$(mktemp -d)
log=$folder/lesson.log
trap 'end_processes; rm -rf "$folder"' EXIT
# curl draws no progress where nobody looks, and ends each answer with a line's end.
printf 'silent\nshow-error\nwrite-out = "\\n"\n' >"$folder/.curlrc"
export CURL_HOME=$folder

# The commands of the hour, one a line. Before those of each step stands the line that begins their block.
commands() {
  awk '/^### /{ is_hour = /^### The hour$/ } is_hour' README.md | sed -n '/^```sh$/,/^```$/p' | sed '/^```$/d'
}

read -r first second <<<"${PORTS:-8080 8081}"
export BLOCKING=http://127.0.0.1:$first ASYNC=http://127.0.0.1:$second
PORTS="$first $second" OPEN=no scripts/lesson.sh >"$log" 2>&1 &
processes+=($!)
until grep -q '^The lesson is at ' "$log"; do
  kill -0 "${processes[0]}" 2>/dev/null || fail "scripts/lesson.sh ended: $(tail -n 5 "$log")"
  sleep 1
done

{
  printf 'A run of the hour, by scripts/hour.sh, on %s.\n' "$(date --utc +%Y-%m-%d)"
  printf '%s processors (%s), %s of memory, Linux %s, %s, commit %s.\n' "$(nproc)" \
    "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)" \
    "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)" \
    "$(uname -r)" "$(rustc --version | cut -d ' ' -f 1,2)" "$commit"
  printf '\nIn the first terminal: PORTS="%s %s" scripts/lesson.sh\n' "$first" "$second"
  grep '^The lesson is at ' "$log"
} >"$file"

step=0
while IFS= read -r command; do
  if [[ $command == '```sh' ]]; then
    step=$((step + 1))
    printf '\nStep %d\n' "$step"
    continue
  fi
  printf '\n$ %s\n' "$command"
  bash -c "$command" </dev/null 2>&1 || printf '(it ended with status %d)\n' $?
done < <(commands) | tee -a "$file"
