# shellcheck shell=bash
# A stack's folder and ports.
#
# A stack is a set of processes whose files are in one folder. The folder is .local/ for `up` and .local/test/ for
# `test`, so that both can run at the same time. WARREN_STATE selects another folder.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
STATE=${WARREN_STATE:-$ROOT/.local}
# shellcheck disable=SC2034 # used by other parts
SERVICES=(identity post media search)
# The number of the stack's brokers: 1, or 3 for a cluster (cluster.sh).
BROKERS=1

# Each line has the variable that holds the port, the default, and the environment variable that overrides it. The
# defaults are not the servers' usual ports, and the kernel does not choose them for outgoing connections.
PORTS=(
    "AMQP_PORT 17672 WARREN_AMQP_PORT"
    "DIST_PORT 17673 WARREN_DIST_PORT"
    "AMQP_PORT_2 17674 WARREN_AMQP_PORT_2"
    "DIST_PORT_2 17675 WARREN_DIST_PORT_2"
    "AMQP_PORT_3 17676 WARREN_AMQP_PORT_3"
    "DIST_PORT_3 17677 WARREN_DIST_PORT_3"
    "EPMD_PORT 17369 WARREN_EPMD_PORT"
    "POSTGRES_PORT 17432 WARREN_POSTGRES_PORT"
    "REDIS_PORT 17379 WARREN_REDIS_PORT"
    "LIMITS_PORT 17380 WARREN_LIMITS_PORT"
    "CLOUDINARY_PORT 17480 WARREN_CLOUDINARY_PORT"
    "HTTP_PORT 8080 WARREN_HTTP_PORT"
)

make_state_folder() {
    (umask 022 && mkdir -p "$STATE") || fail "cannot create the folder $STATE"
    [[ -O $STATE ]] || fail "$STATE belongs to another user: run this command as that user"
    # The servers run as other users. They must reach their own folders below this one, but must not list this one.
    chmod 0711 "$STATE"
    mkdir -p "$STATE"/{run,log,secrets}
}

port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

port_is_valid() { [[ $1 =~ ^[0-9]{1,5}$ ]] && (($1 > 0 && $1 < 65536)); }

# choose_ports: sets each port to the value of its environment variable, or to its default, and saves the ports.
choose_ports() {
    local entry name taken=()
    for entry in "${PORTS[@]}"; do
        name=${entry%% *}
        choose_port "$entry"
        [[ " ${taken[*]} " != *" ${!name} "* ]] ||
            fail "${entry##* }: port ${!name} is already used by another setting"
        taken+=("${!name}")
    done
    save_ports
}

# choose_port LINE: sets the port of a line of PORTS to the value of its environment variable, or to its default.
choose_port() {
    local name default override port
    read -r name default override <<<"$1"
    port=${!override:-$default}
    port_is_valid "$port" || fail "$override must be a port from 1 to 65535, not $port"
    # set_rabbitmq_environment gives rabbitmqctl the ports that are higher by 20000 to 20100.
    if [[ $name == DIST_PORT ]] && ((port > 65535 - 20100)); then
        fail "$override must be at most 45435, because rabbitmqctl uses a port that is higher by up to 20100"
    fi
    printf -v "$name" '%s' "$port"
}

# reserve_free_ports: chooses a block of free ports, and saves them. Servers open the ports only later, so until this
# script exits, a lock on a file named after the block prevents other test runs of this user from choosing it.
reserve_free_ports() {
    local locks=${TMPDIR:-/tmp}/warren-ports-$EUID block number entry
    mkdir -p "$locks"
    [[ -O $locks ]] || fail "$locks belongs to another user"
    for _ in {1..200}; do
        block=$((20000 + RANDOM % 550 * 20))
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

# save_ports: writes the ports and the number of brokers to a new settings file.
save_ports() {
    local entry name
    {
        printf 'BROKERS=%s\n' "$BROKERS"
        for entry in "${PORTS[@]}"; do
            name=${entry%% *}
            printf '%s=%s\n' "$name" "${!name}"
        done
    } >"$STATE/settings"
}

# load_settings: sets the variables of the stack's last start. Returns 1 if the stack was never started.
load_settings() {
    local entry name
    [[ -f $STATE/settings ]] || return 1
    # shellcheck source=/dev/null
    source "$STATE/settings"
    # The stack may have been started by an earlier version of these scripts, which had fewer ports.
    for entry in "${PORTS[@]}"; do
        name=${entry%% *}
        if [[ -v $name ]]; then continue; fi
        choose_port "$entry"
        save_setting "$name" "${!name}"
    done
}

# save_setting NAME VALUE: sets the variable, and adds it to the settings file for load_settings.
save_setting() {
    printf '%s=%s\n' "$1" "$2" >>"$STATE/settings"
    printf -v "$1" '%s' "$2"
}
