#!/usr/bin/env bash
# The recipes in scripts/proxy/ with the real nginx, HAProxy and Caddy of Debian, each before a server of its own:
#
#   scripts/proxies.sh             everything, in about twelve minutes
#   scripts/proxies.sh --short     200 clients, 500 requests and no long pauses, in about two minutes
#   scripts/proxies.sh [--short] nginx
#
# Through each of them: every address has the prefix, which the proxy passes on; an event of a stream comes at once; 2,000
# clients wait; no request of 20,000 gets 502, with pauses around every idle time; what harms tiny_http does not reach
# it. Caddy speaks HTTPS and HTTP/2 as well. Needs Linux and Rust, and Python; what else is missing it installs with
# apt-get if it may, or says what to install. From the environment:
#
#   ENGINE=blocking                or async
#   BY=tcp                         or unix: how the proxy reaches the server
#   COMET_CHAT=PATH                a server that is built already, with --features async,bench
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/need.sh
source scripts/processes.sh

waiters=2000 requests=20000
# Around the proxies' 60 s and the server's 75 s, and in between.
pauses=(1 5 6 30 58 59 59.5 60 60.5 61 62 74 75 76 2)
proxies=()
for argument; do
  case $argument in
    --short) waiters=200 requests=500 pauses=(1) ;;
    nginx | haproxy | caddy) proxies+=("$argument") ;;
    *) fail 'usage: scripts/proxies.sh [--short] [nginx] [haproxy] [caddy]' ;;
  esac
done
((${#proxies[@]} > 0)) || proxies=(nginx haproxy caddy)

need curl curl
need python3 python3
# The packages must not start servers of their own, and their programs are not on everybody's path.
export RUNLEVEL=1 PATH=$PATH:/usr/sbin
for proxy in "${proxies[@]}"; do
  if [[ $proxy == nginx ]]; then need nginx nginx-light; else need "$proxy" "$proxy"; fi
done
binary=${COMET_CHAT:-}
if [[ -z $binary ]]; then
  cargo build --quiet --features async,bench
  binary=${CARGO_TARGET_DIR:-target}/debug/comet-chat
fi
# Each of those who wait takes two files of the proxy.
ulimit -n "$(ulimit -Hn)"

directory=$(mktemp -d)
finish() {
  trap - EXIT INT TERM
  end_processes
  rm -rf "$directory"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Each starts its proxy at $port before $server, and at $tls_port if it speaks TLS. It has $here to itself.

start_nginx() {
  local user='' name paths=''
  ((EUID != 0)) || user='user root;'
  for name in client_body proxy fastcgi uwsgi scgi; do paths+="${name}_temp_path $here/$name; "; done
  sed -e "s|listen 80;|listen 127.0.0.1:$port;|" -e "s|127.0.0.1:8080|$server|" -e "s|^http {|http { $paths|" \
    scripts/proxy/nginx.conf >"$here/nginx.conf"
  nginx -p "$here" -c nginx.conf -e error.log -g "daemon off; pid nginx.pid; $user" >"$here/log" 2>&1 &
  processes+=($!)
}

start_haproxy() {
  sed -e "s|bind :80|bind 127.0.0.1:$port|" -e "s|127.0.0.1:8080|$server|" scripts/proxy/haproxy.cfg >"$here/haproxy.cfg"
  haproxy -db -f "$here/haproxy.cfg" >"$here/log" 2>&1 &
  processes+=($!)
}

start_caddy() {
  sed -e "s|^chat.example.org {|https://chat.example.org:$tls_port, http://:$port {|" -e "s|127.0.0.1:8080|$server|" \
    -e '0,/^{$/s//{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects/' \
    scripts/proxy/Caddyfile >"$here/Caddyfile"
  HOME=$here XDG_DATA_HOME=$here/data caddy run --adapter caddyfile --config "$here/Caddyfile" >"$here/log" 2>&1 &
  processes+=($!)
}

curl_chat() { curl --silent --show-error --max-time 30 "$@"; }

# Which addresses a browser would follow.
check_prefix() {
  local said
  said=$(curl_chat -o /dev/null -w '%{http_code} %{redirect_url}' "$chat/talk/")
  [[ $said == "303 $chat/talk/chat/lobby" ]] || fail "$proxy: /talk/ leads to $said"
  curl_chat -H 'Accept: text/html' "$chat/talk/chat/lobby" >"$here/page"
  # The script, and the words of its language.
  for said in $(grep -o 'src="[^"]*\.js"' "$here/page" | cut -d'"' -f2); do
    curl_chat --fail -o /dev/null "$chat$said" || fail "$proxy: a script of the page is not at $said"
    [[ $said == /talk/page/* ]] || fail "$proxy: a script of the page is at $said"
  done
}

# An event is there while its stream goes on.
check_stream() { # FORM CURL-OPTION...
  local form=$1 said=$here/stream stream cursor
  shift
  # From a cursor on, so that it does not matter which is there first.
  cursor=$(curl_chat "$@" -D - -o /dev/null "$chat/talk/chat/stream?after=latest&wait=0" | tr -d '\r' | sed -n 's/^chat-cursor: //Ip')
  [[ -n $cursor ]] || fail "$proxy: an answer has no cursor"
  curl_chat -N "$@" -H "Accept: $form" "$chat/talk/chat/stream?after=$cursor" >"$said" 2>"$here/stream.err" &
  stream=$!
  curl_chat --fail "$@" -d message=at-once "$chat/talk/chat/stream" >/dev/null
  until_it_holds "$proxy: an event does not come" "$here/stream.err" grep -q at-once "$said"
  kill "$stream" 2>/dev/null || fail "$proxy: the stream ended before: $(cat "$here/stream.err")"
  wait "$stream" 2>/dev/null || true
}

threads() { grep Threads: "/proc/$server_process/status" | tr -dc 0-9; }

send_raw() {
  # The proxy may close before all is sent.
  { cat >&3 && timeout 5 head -c 12 <&3; } 3<>"/dev/tcp/127.0.0.1/$port" 2>/dev/null || true
}

# What tiny_http can't hold off. Each time it would keep a thread, or memory, or carry out what stands in a body.
check_attacks() {
  local before said n
  curl_chat -d message=before "$chat/talk/chat/attacked" >/dev/null
  before=$(threads)
  for n in {1..20}; do
    said=$(printf 'GET /talk/chat/attacked HTTP/2.0\r\nHost: localhost\r\n\r\n' | send_raw) || true
    [[ $said != 'HTTP/1.1 200' ]] || fail "$proxy: HTTP/2.0 is answered"
    said=$({ printf 'GET /talk/help HTTP/1.1\r\nHost: localhost\r\nX: '; head -c 2000000 /dev/zero | tr '\0' a; } | send_raw) || true
    [[ $said != 'HTTP/1.1 200' ]] || fail "$proxy: a header of 2 MB is answered"
    said=$(printf 'POST /talk/chat/attacked HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n' | send_raw) || true
    [[ $said != 'HTTP/1.1 200' ]] || fail "$proxy: a broken chunk is taken"
  done
  # If each left a thread, there would be twenty more.
  for n in {1..100}; do
    (($(threads) <= before + 12)) && break
    sleep 0.1
  done
  (($(threads) <= before + 12)) || fail "$proxy: the server had $before threads, and has $(threads)"
  said=$(curl_chat "$chat/talk/chat/attacked/history")
  [[ $said != *hello* ]] || fail "$proxy: what was refused was published: $said"
}

check() {
  proxy=$1 port=$(free_port) tls_port=''
  here=$directory/$proxy
  mkdir -p "$here"
  chat=http://127.0.0.1:$port
  local public=$chat/talk
  if [[ $proxy == caddy ]]; then
    tls_port=$(free_port)
    public=https://chat.example.org:$tls_port/talk
  fi
  # The limits by address are for people. Here one address is everybody.
  local unlimited=(--limit-messages 0 --limit-bytes 0 --limit-rooms 0 --limit-waits 0 --limit-room-messages 0)
  local listen=127.0.0.1:0 trusted=127.0.0.1
  if [[ ${BY:-tcp} == unix ]]; then listen="unix:$here/chat.sock?mode=666" trusted=unix; fi
  "$binary" --listen "$listen" --engine "${ENGINE:-blocking}" --store memory: --public-url "$public" \
    --trusted-proxy "$trusted" "${unlimited[@]}" >"$here/server.out" 2>"$here/server.log" &
  server_process=$!
  processes+=($!)
  until_it_holds 'The server did not start' "$here/server.log" grep -q Ctrl-C "$here/server.out"
  if [[ ${BY:-tcp} == unix ]]; then
    case $proxy in
      nginx) server=unix:$here/chat.sock ;;
      haproxy) server=unix@$here/chat.sock ;;
      caddy) server=unix/$here/chat.sock ;;
    esac
  else
    server=$(grep -om1 'http://[0-9.]*:[0-9]*' "$here/server.out")
    server=${server#http://}
  fi
  "start_$proxy"
  until_it_holds "$proxy did not start" "$here/log" curl_chat --fail "$chat/talk/health"

  check_prefix
  check_stream text/event-stream
  check_stream application/x-ndjson
  if [[ -n $tls_port ]]; then
    local secure=(--cacert "$here/data/caddy/pki/authorities/local/root.crt" --http2
      --resolve "chat.example.org:$tls_port:127.0.0.1")
    chat=https://chat.example.org:$tls_port check_stream text/event-stream "${secure[@]}"
    said=$(curl_chat "${secure[@]}" -o /dev/null -w '%{http_version} %{http_code}' "https://chat.example.org:$tls_port/talk/help")
    [[ $said == '2 200' ]] || fail "$proxy: over TLS it answers with HTTP/$said"
  fi
  check_attacks
  "$binary" bench "$chat/talk/chat/waits" -n "$waiters" --rounds 3 --pause 3000 --patience 60 >"$here/bench" 2>&1 ||
    fail "$proxy: not all of $waiters clients waited and heard: $(tail -n 5 "$here/bench")"
  said=$(python3 scripts/proxy/pauses.py "$chat/talk/chat/pauses" "$requests" "${pauses[@]}") ||
    fail "$proxy: after pauses: $said"
  printf '✓ %s: the prefix, streams at once, %d clients waiting, %s, and none of what harms tiny_http.\n' \
    "$proxy" "$waiters" "$said"
}

# Side by side, as most of the time passes in pauses.
checks=()
for proxy in "${proxies[@]}"; do
  (
    processes=()
    trap 'exit 130' INT TERM
    trap end_processes EXIT
    check "$proxy"
  ) &
  checks+=($!)
  processes+=($!)
done
failed=false
for one in "${checks[@]}"; do wait "$one" || failed=true; done
! $failed || fail 'Not all recipes work.'
