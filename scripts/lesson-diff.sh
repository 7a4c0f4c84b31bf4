#!/usr/bin/env bash
# The lesson on two facing pages: the blocking engine on the left, the async engine on the right.
#
#   scripts/lesson-diff.sh             the lines that differ, file by file
#   scripts/lesson-diff.sh poll        one file, whole
#   scripts/lesson-diff.sh | less -R   COLOUR=1 keeps the colours
#
# At the end it counts the changed lines, as `diff -r src/blocking src/nonblocking` has them.
set -euo pipefail
cd "$(dirname "$0")/.."
left=src/blocking right=src/nonblocking

bold='' plain='' left_only='' right_only='' changed=''
width=200
if [[ -t 1 ]]; then
  width=$(tput cols 2>/dev/null || echo "$width")
fi
if [[ -t 1 || -n "${COLOUR:-}" ]]; then
  bold=$'\e[1m' plain=$'\e[0m' left_only=$'\e[31m' right_only=$'\e[32m' changed=$'\e[33m'
fi

# Shows a file side by side. In the middle, `diff` marks a line of the left page with `<`, of the right page
# with `>`, and a changed one with `|`.
show() { # NAME [OPTION OF DIFF]
  printf '\n%s%s%s\n' "$bold" "$1" "$plain"
  { diff --side-by-side --expand-tabs --width="$width" "${@:2}" "$left/$1" "$right/$1" || (($? == 1)); } |
    awk -v at=$((width / 2)) -v less_="$left_only" -v more="$right_only" -v both="$changed" -v plain="$plain" '{
      # The mark stands in this column or the one before it.
      mark = substr($0, at - 1, 2)
      colour = mark ~ /</ ? less_ : mark ~ />/ ? more : mark ~ /\|/ ? both : ""
      print colour $0 (colour == "" ? "" : plain)
    }'
}

if (($# > 0)); then
  for name; do show "${name%.rs}.rs"; done
else
  for file in "$left"/*.rs; do
    name=${file##*/}
    cmp -s "$left/$name" "$right/$name" || show "$name" --suppress-common-lines
  done
fi

all=$({ diff -r "$left" "$right" || true; } | grep -c '^[<>]' || true)
printf '\n%s%d changed lines%s in %d files on each side.\n' "$bold" "$all" "$plain" "$(find "$left" -name '*.rs' | wc -l)"
