# What a script starts, and how it ends all of it. It is sourced, after need.sh. A process that is started is added to
# `processes`.

processes=()

# The last started ends first.
end_processes() {
  for ((i = ${#processes[@]} - 1; i >= 0; i--)); do
    kill "${processes[i]}" 2>/dev/null || true
    wait "${processes[i]}" 2>/dev/null || true
  done
  processes=()
}

# Waits for 30 s at most. If that is in vain, the end of the log tells why.
until_it_holds() { # WHAT LOG COMMAND...
  local what=$1 log=$2
  shift 2
  for _ in {1..300}; do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  fail "$what: $(tail -n 5 "$log")"
}

# Starts a server, and sets $server, $url and $log. What it prints goes to NAME.out, its log to NAME.log.
start_server() { # NAME COMMAND...
  local said=$1.out
  log=$1.log
  shift
  : >"$said"
  "$@" >"$said" 2>>"$log" &
  server=$!
  processes+=("$server")
  until_it_holds 'The server did not start' "$log" grep -q http:// "$said"
  url=$(grep -om1 'http://[0-9.]*:[0-9]*' "$said")
}

# A port that nobody uses. It is below those that the kernel gives to clients.
free_port() {
  local port
  while :; do
    port=$((10000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# Starts a Redis that writes each message to its file in this directory, and sets $redis_port.
start_redis() { # DIRECTORY
  redis_port=$(free_port)
  redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$1" --save '' --appendonly yes --appendfsync always \
    >"$1/redis.log" 2>&1 &
  processes+=($!)
  # Redis answers something else while it loads what it kept.
  until_it_holds 'Redis did not start' "$1/redis.log" bash -c "[[ \$(redis-cli -p $redis_port ping) == PONG ]]"
}
