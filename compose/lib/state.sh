# shellcheck shell=bash
# Where a stack keeps what is its own, and the ports it listens on.
#
# A stack is a folder: .local/ for `up`, .local/test/ for `test`, so that both run side by side.
# WARREN_STATE names another one.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
STATE=${WARREN_STATE:-$ROOT/.local}
# shellcheck disable=SC2034 # the other parts use it
SERVICES=(identity post media search)

# Port variable, default, and the name of the variable of the environment that overrides it. None of
# the defaults is a server's usual port, and all lie below the range of outgoing connections.
PORTS=(
    "AMQP_PORT 17672 WARREN_AMQP_PORT"
    "DIST_PORT 17673 WARREN_DIST_PORT"
    "EPMD_PORT 17369 WARREN_EPMD_PORT"
    "POSTGRES_PORT 17432 WARREN_POSTGRES_PORT"
    "REDIS_PORT 17379 WARREN_REDIS_PORT"
    "CLOUDINARY_PORT 17480 WARREN_CLOUDINARY_PORT"
    "HTTP_PORT 8080 WARREN_HTTP_PORT"
)

make_state() {
    (umask 022 && mkdir -p "$STATE") || fail "$STATE could not be made"
    [[ -O $STATE ]] || fail "$STATE is another user's: run this as that user"
    # Servers that run as users of their own must get through to their folders, and see nothing else.
    chmod 0711 "$STATE"
    mkdir -p "$STATE"/{run,log,secrets}
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

valid_port() { [[ $1 =~ ^[0-9]{1,5}$ ]] && (($1 > 0 && $1 < 65536)); }

free_port() {
    local port
    for _ in {1..200}; do
        port=$((20000 + RANDOM % 11000))
        [[ " $* " == *" $port "* ]] && continue
        port_open "$port" || { printf '%s' "$port"; return; }
    done
    fail "no free port found between 20000 and 31000"
}

# choose_ports fixed|free: the ports of a stack that is about to start, kept in its settings.
choose_ports() {
    local entry name default override port taken=()
    for entry in "${PORTS[@]}"; do
        read -r name default override <<<"$entry"
        if [[ $1 == free ]]; then port=$(free_port "${taken[@]}"); else port=${!override:-$default}; fi
        valid_port "$port" || fail "$override is no port: $port"
        [[ " ${taken[*]} " != *" $port "* ]] || fail "$override: port $port is given twice"
        printf -v "$name" '%s' "$port"
        taken+=("$port")
    done
    for entry in "${PORTS[@]}"; do
        name=${entry%% *}
        printf '%s=%s\n' "$name" "${!name}"
    done >"$STATE/settings"
}

# load_settings: the ports of the stack as it was last started; false where it never was.
load_settings() {
    [[ -f $STATE/settings ]] || return 1
    # shellcheck source=/dev/null
    source "$STATE/settings"
}

setting() {
    printf '%s=%s\n' "$1" "$2" >>"$STATE/settings"
    printf -v "$1" '%s' "$2"
}
