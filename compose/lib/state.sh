# shellcheck shell=bash
# A stack's folder and ports.
#
# A stack is everything under one folder: .local/ for `up`, .local/test/ for `test`, so that both can run at the same
# time. WARREN_STATE names another folder.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
STATE=${WARREN_STATE:-$ROOT/.local}
# shellcheck disable=SC2034 # used by other parts
SERVICES=(identity post media search)

# Each line: the variable that holds the port, the default, the environment variable that overrides it. The defaults
# avoid the servers' usual ports and the range of outgoing connections.
PORTS=(
    "AMQP_PORT 17672 WARREN_AMQP_PORT"
    "DIST_PORT 17673 WARREN_DIST_PORT"
    "EPMD_PORT 17369 WARREN_EPMD_PORT"
    "POSTGRES_PORT 17432 WARREN_POSTGRES_PORT"
    "REDIS_PORT 17379 WARREN_REDIS_PORT"
    "CLOUDINARY_PORT 17480 WARREN_CLOUDINARY_PORT"
    "HTTP_PORT 8080 WARREN_HTTP_PORT"
)

make_state_folder() {
    (umask 022 && mkdir -p "$STATE") || fail "cannot create the folder $STATE"
    [[ -O $STATE ]] || fail "$STATE belongs to another user: run this command as that user"
    # The servers run as users of their own: they need to pass through to their folders, and must not list this one.
    chmod 0711 "$STATE"
    mkdir -p "$STATE"/{run,log,secrets}
}

port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

port_is_valid() { [[ $1 =~ ^[0-9]{1,5}$ ]] && (($1 > 0 && $1 < 65536)); }

# choose_ports: the default ports, or those that the environment names.
choose_ports() {
    local entry name default override port taken=()
    for entry in "${PORTS[@]}"; do
        read -r name default override <<<"$entry"
        port=${!override:-$default}
        port_is_valid "$port" || fail "$override must be a port from 1 to 65535, not $port"
        [[ " ${taken[*]} " != *" $port "* ]] || fail "$override: port $port is already used by another setting"
        printf -v "$name" '%s' "$port"
        taken+=("$port")
    done
    save_ports
}

# reserve_free_ports: a block of ports that are free and that no other test run on this machine chooses. A lock on the
# block's number reserves it for the life of this script, because a port is opened long after it is chosen.
reserve_free_ports() {
    local locks=${TMPDIR:-/tmp}/warren-ports-$EUID block number entry
    mkdir -p "$locks"
    [[ -O $locks ]] || fail "$locks belongs to another user"
    for _ in {1..200}; do
        block=$((20000 + RANDOM % 1100 * 10))
        exec 7>"$locks/$block"
        flock -n 7 || continue
        number=$block
        for entry in "${PORTS[@]}"; do
            if port_is_open "$number"; then continue 2; fi
            printf -v "${entry%% *}" '%s' "$number"
            number=$((number + 1))
        done
        save_ports
        return
    done
    fail "no free block of ports between 20000 and 31000"
}

# save_ports: begins the stack's settings file with its ports.
save_ports() {
    local entry name
    for entry in "${PORTS[@]}"; do
        name=${entry%% *}
        printf '%s=%s\n' "$name" "${!name}"
    done >"$STATE/settings"
}

# load_settings: the settings of the stack's last start; returns 1 if it was never started.
load_settings() {
    [[ -f $STATE/settings ]] || return 1
    # shellcheck source=/dev/null
    source "$STATE/settings"
}

# save_setting NAME VALUE: sets the variable now, and at each later load_settings.
save_setting() {
    printf '%s=%s\n' "$1" "$2" >>"$STATE/settings"
    printf -v "$1" '%s' "$2"
}
