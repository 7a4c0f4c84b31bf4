#!/usr/bin/env bash
# One chat on three instances: Redis, a blocking, an async and another blocking engine, and nginx before them, which
# gives each request to the next instance. Ctrl-C ends all of it.
#
#   scripts/cluster.sh             opens http://127.0.0.1:8080/chat/lobby
#   scripts/cluster.sh --check     chats through the balancer while an instance is killed, and ends
#
# Needs Rust; redis-server and nginx it installs with apt-get if it may, or says what to install. From the environment:
#
#   LISTEN=127.0.0.1:8080          where the balancer listens; --check takes a free port
#   ENGINES="blocking async blocking"
#   COMET_CHAT=PATH                --check: a server that is built already
#   DIRECTORY=target/cluster       where Redis keeps the chat, and where the logs are; --check takes a fresh one
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
source scripts/processes.sh

is_check=false
case "${1:-}" in
  '') ;;
  --check) is_check=true ;;
  *) fail "usage: scripts/cluster.sh [--check]" ;;
esac

command -v cargo >/dev/null || fail 'cargo is missing: install Rust from https://rustup.rs'
need curl curl
# The packages must not start servers of their own, and their programs are not on everybody's path.
export RUNLEVEL=1 PATH=$PATH:/usr/sbin
need redis-server redis-server
need nginx nginx-light

read -ra engines <<<"${ENGINES:-blocking async blocking}"
listen=${LISTEN:-127.0.0.1:8080}
if $is_check; then
  binary=${COMET_CHAT:-}
  if [[ -z $binary ]]; then
    cargo build --quiet --features async,redis
    binary=${CARGO_TARGET_DIR:-target}/debug/comet-chat
  fi
  directory=$(mktemp -d)
else
  cargo build --release --features async,redis
  binary=${CARGO_TARGET_DIR:-target}/release/comet-chat
  directory=${DIRECTORY:-target/cluster}
fi
mkdir -p "$directory"
directory=$(realpath "$directory")

finish() {
  trap - EXIT INT TERM
  # The balancer, the instances, Redis.
  end_processes
  if $is_check; then rm -rf "$directory"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

start_redis "$directory"

urls=()
instances=()
for i in "${!engines[@]}"; do
  start_server "$directory/instance-$((i + 1))" "$binary" --listen 127.0.0.1:0 --engine "${engines[i]}" \
    --store "redis://127.0.0.1:$redis_port"
  instances+=("$server")
  urls+=("$url")
done

if $is_check; then listen=127.0.0.1:$(free_port); fi
user=
((EUID != 0)) || user='user root;'
servers=$(printf 'server %s; ' "${urls[@]#http://}")
sed -e "s|LISTEN|$listen|" -e "s|INSTANCES|$servers|" -e "s|^USER$|$user|" scripts/cluster.nginx.conf >"$directory/nginx.conf"
nginx -p "$directory" -c nginx.conf -e nginx.log 2>"$directory/nginx.err" &
processes+=($!)
chat=http://$listen
until_it_holds 'nginx did not start' "$directory/nginx.err" curl --silent --fail --max-time 5 "$chat/health"

if ! $is_check; then
  printf '\nOpen %s/chat/lobby: each request goes to the next instance.\n\n' "$chat"
  for i in "${!urls[@]}"; do
    printf '  %-8s %s/chat/lobby   kill -9 %s\n' "${engines[i]}" "${urls[i]}" "${instances[i]}"
  done
  printf '\nThe logs are in %s. Ctrl-C ends it.\n' "$directory"
  wait "${processes[-1]}" || true
  fail "nginx ended: $(tail -n 5 "$directory/nginx.err" "$directory/nginx.log")"
fi

# ---------------------------------------------------------------- --check

messages=30
curl_chat() { curl --silent --show-error --max-time 30 "$@"; }

# Follows until it has all. A request that meets a dead instance is sent again.
follow() { # URL FILE
  local next='/chat/check?after=oldest' seen=0 status
  : >"$2"
  while ((seen < messages)); do
    status=$(curl_chat --dump-header "$2.head" --output "$2.body" --write-out '%{http_code}' "$1$next" 2>/dev/null || true)
    case $status in
      200) printf '%s\n' "$(cat "$2.body")" >>"$2" && seen=$((seen + 1)) ;;
      204) ;;
      *) sleep 0.1 && continue ;;
    esac
    next=$(tr -d '\r' <"$2.head" | sed -n 's/^link: <\(.*\)>; rel="next"$/\1/Ip')
  done
}

followers=()
for url in "$chat" "$chat" "${urls[0]}" "${urls[-1]}"; do
  follow "$url" "$directory/follower-${#followers[@]}" &
  followers+=($!)
  processes+=($!)
done
for ((n = 1; n <= messages; n++)); do
  if ((n == messages / 2)); then
    kill -9 "${instances[1]}"
    wait "${instances[1]}" 2>/dev/null || true
  fi
  # It is sent again under the same id, and so said once.
  for attempt in {1..100}; do
    [[ $(curl_chat -d "message=number $n" -d "id=$n" "$chat/chat/check" 2>/dev/null) != ok ]] || break
    ((attempt < 100)) || fail "message $n was not taken"
    sleep 0.1
  done
done
right=$(seq -f 'number %g' "$messages")
for i in "${!followers[@]}"; do
  wait "${followers[i]}" || fail "follower $i failed"
  [[ $(cat "$directory/follower-$i") == "$right" ]] || fail "follower $i heard something else: $(cat "$directory/follower-$i")"
done
printf '✓ %d messages through %s, each instance in turn, one of them killed: %d followers have all, once, in order.\n' \
  "$messages" "$chat" "${#followers[@]}"
