# What compare.sh and speed.sh share: who is measured, how it is started, and how it is ended. It is sourced in the
# project's folder. The results go to the folder `directory`; `on_server` stands before a server, and `on_load` before the load.

profile=${PROFILE:-release}
binary=${CARGO_TARGET_DIR:-target}/$profile/comet-chat
# Where Debian and others have the modules of nginx.
modules=
for place in /usr/lib/nginx/modules /usr/lib64/nginx/modules /usr/share/nginx/modules; do
    [[ ! -e $place/ngx_nchan_module.so ]] || modules=$place
done
PATH=$PATH:/usr/sbin

pinned=false
if command -v taskset >/dev/null && (($(nproc) > 1)); then
    pinned=true
fi

# Not every server raises this by itself.
ulimit -n "$(ulimit -Hn)"

on_server=() on_load=()
one_core_each() {
    if $pinned; then
        on_server=(taskset -c 0) on_load=(taskset -c 1)
    fi
}

server=
stop_server() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}
trap stop_server EXIT

# What is said about a peer: its version, or why it is left out.
about_peer() { # PEER
    case $1 in
    mochiweb)
        if ! command -v escript >/dev/null; then
            echo 'left out: there is no escript (Debian: erlang-base)'
        elif ! erl -noshell -eval '{module, _} = code:load_file(mochiweb_http), {module, _} = code:load_file(httpd_util),
            application:load(mochiweb), {ok, Version} = application:get_key(mochiweb, vsn),
            io:format("MochiWeb ~s on Erlang/OTP ~s, ", [Version, erlang:system_info(otp_release)]), halt().' \
            2>/dev/null; then
            echo 'left out: Erlang has no mochiweb or no inets (Debian: erlang-mochiweb erlang-inets)'
        else
            echo 'as scripts/peers/mochiweb.escript: a room of 2008, which keeps nothing'
        fi
        ;;
    nchan)
        if [[ -z $modules ]] || ! command -v nginx >/dev/null; then
            echo 'left out: there is no nginx with nchan (Debian: libnginx-mod-nchan)'
        else
            echo "$(nginx -v 2>&1 | sed 's/.*: //') with nchan, as scripts/peers/nchan.conf: one process"
        fi
        ;;
    *) echo 'left out: it is not known here' ;;
    esac
}

# A port that nobody has.
free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)); (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# Starts an engine on a free port, and sets $server, $url, and $serves: the process that does the work. What an engine keeps
# goes to the store, by default to memory.
start_server() { # ENGINE [STORE]
    local said=$directory/server.out
    : >"$said"
    case $1 in
    floor) exec "${on_server[@]}" "$binary" bench --floor 127.0.0.1:0 ;;
    mochiweb) exec "${on_server[@]}" scripts/peers/mochiweb.escript ;;
    nchan)
        local port
        port=$(free_port)
        mkdir -p "$directory/nginx"
        sed "s/PORT/$port/; s#MODULES#$modules#" scripts/peers/nchan.conf >"$directory/nginx/nginx.conf"
        echo "nchan: open http://127.0.0.1:$port"
        exec "${on_server[@]}" nginx -p "$directory/nginx" -c "$(realpath "$directory/nginx/nginx.conf")"
        ;;
    *) exec "${on_server[@]}" "$binary" --engine "$1" --store "${2:-memory:}" --listen 127.0.0.1:0 ;;
    esac >"$said" 2>"$directory/server.err" &
    server=$!
    for _ in {1..200}; do
        url=$(grep -om1 'http://[0-9.]*:[0-9]*' "$said" || true)
        if [[ -n $url ]] && (: <"/dev/tcp/127.0.0.1/${url##*:}") 2>/dev/null; then
            serves=$server
            [[ $1 != nchan ]] || serves=$(pgrep -P "$server" | head -n 1)
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    echo "the $1 server did not start:" >&2
    cat "$directory/server.err" >&2
    exit 2
}
