#!/usr/bin/env bash
# The lesson: both engines on this machine, side by side on one page, with levers and failures to try.
#
#   scripts/lesson.sh        Ctrl+C ends it
#
# It builds them, starts each on a free port of loopback with a store in memory, opens the page in a browser if there is a
# desktop, and prints its address in any case. Both end when it ends. From the environment:
#
#   PORTS="8080 8081"        the ports of the blocking and the async engine
#   STORE=memory:            where both keep messages; a file would be two engines' file
#   OPEN=no                  opens no browser
#
# Needs nothing but Rust.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
source scripts/processes.sh

read -ra ports <<<"${PORTS:-0 0}"
store=${STORE:-memory:}
binary=${CARGO_TARGET_DIR:-target}/release/comet-chat
logs=$(mktemp -d)

cargo build --release --features full
trap 'end_processes; rm -rf "$logs"' EXIT
trap 'exit 0' INT TERM

urls=()
for engine in blocking async; do
  said=$logs/$engine.out
  "$binary" --lesson --engine "$engine" --store "$store" --listen "127.0.0.1:${ports[${#urls[@]}]-0}" \
    >"$said" 2> >(sed -u "s/^/$engine: /" >&2) &
  processes+=($!)
  until_it_holds "The $engine engine did not start" "$said" grep -q http:// "$said"
  urls+=("$(grep -om1 'http://[0-9.]*:[0-9]*' "$said")")
  until_it_holds "The $engine engine does not answer" "$said" "$binary" health "${urls[-1]}"
done

page="${urls[0]}/backstage?beside=${urls[1]}"
printf '\nThe lesson is at %s\nCtrl+C ends it.\n\n' "$page"
if [[ ${OPEN:-} != no ]]; then
  if [[ -n ${DISPLAY-}${WAYLAND_DISPLAY-} ]] && command -v xdg-open >/dev/null; then
    xdg-open "$page" >/dev/null 2>&1 || true
  elif [[ $OSTYPE == darwin* ]]; then
    open "$page" || true
  fi
fi

# Neither ends by itself, unless something is wrong.
wait -n "${processes[@]}" || true
fail 'One of the engines has ended: what it said stands above.'
