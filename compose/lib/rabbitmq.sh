# shellcheck shell=bash
# A private RabbitMQ. At every start it loads its users, whose passwords are in secrets/, and then
# queues/definitions.json. Only these definitions create exchanges, queues and permissions. cluster.sh has the
# differences of a cluster.

RABBITMQ_BIN=/usr/lib/rabbitmq/bin

# set_rabbitmq_environment NUMBER: sets RABBITMQ_ENV to the words that, put before a command of the RabbitMQ package,
# make it use the folder and ports of this stack's broker instead of the system's settings.
set_rabbitmq_environment() {
    local home cores schedulers erlang distribution
    home=$STATE/$(broker_folder "$1") distribution=$(broker_port DIST_PORT "$1")
    cores=$(nproc) schedulers=$(((cores + 1) / 2))
    # By default, Erlang's schedulers spin before they sleep, which wastes cores that other processes need; `+sbwt none`
    # turns this off. With a scheduler for half of the cores, the broker needs a third less CPU time for a message,
    # because schedulers on all cores often wake each other.
    erlang="+sbwt none +sbwtdcpu none +sbwtdio none +S $schedulers:$schedulers"
    RABBITMQ_ENV=(
        env -i "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" "LANG=C.UTF-8" "HOME=$home"
        "RABBITMQ_NODENAME=$(broker_node "$1")"
        "RABBITMQ_CONF_ENV_FILE=$home/env.conf"
        "RABBITMQ_CONFIG_FILE=$home/rabbitmq.conf"
        "RABBITMQ_ENABLED_PLUGINS_FILE=$home/enabled_plugins"
        "RABBITMQ_MNESIA_BASE=$home/data"
        "RABBITMQ_LOG_BASE=$home/log"
        "RABBITMQ_LOGS=-"
        "RABBITMQ_DIST_PORT=$distribution"
        "RABBITMQ_CTL_DIST_PORT_MIN=$((DIST_PORT + 20000))"
        "RABBITMQ_CTL_DIST_PORT_MAX=$((DIST_PORT + 20100))"
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=$erlang -kernel inet_dist_use_interface {127,0,0,1}"
        "RABBITMQ_CTL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"
        "RABBITMQ_ALLOW_INPUT=1"
        "ERL_EPMD_PORT=$EPMD_PORT" "ERL_EPMD_ADDRESS=127.0.0.1"
        "ERL_CRASH_DUMP=$home/erl_crash.dump"
    )
}

# password_hash PASSWORD: prints a salted SHA-256 hash in the format of RabbitMQ's definition files.
password_hash() {
    local hex salt
    hex=$(openssl rand -hex 4)
    salt="\\x${hex:0:2}\\x${hex:2:2}\\x${hex:4:2}\\x${hex:6:2}"
    {
        printf '%b' "$salt"
        { printf '%b' "$salt" && printf '%s' "$1"; } | openssl dgst -sha256 -binary
    } | base64 -w0
}

# principals: prints the broker users that have permissions in queues/definitions.json.
principals() { jq -r '.permissions[].user' "$ROOT/queues/definitions.json"; }

# user_definitions NAME…: prints a definitions document with these users and the hashes of their passwords.
user_definitions() {
    local name
    for name in "$@"; do
        jq -n --arg name "$name" --arg hash "$(password_hash "$(secret "amqp-$name")")" \
            '{name: $name, password_hash: $hash, hashing_algorithm: "rabbit_password_hashing_sha256", tags: []}'
    done | jq -s '{users: .}'
}

# scratch_definitions: prints the definitions for tests: the user `scratch` with two virtual hosts of its own. Daemons
# under test use `scratch-daemons`, because a daemon consumes all messages of its service; no daemon uses `scratch`.
scratch_definitions() {
    user_definitions scratch | jq '. + {vhosts: [{name: "scratch"}, {name: "scratch-daemons"}]}
        | .permissions = [.vhosts[] | {user: "scratch", vhost: .name, configure: ".*", write: ".*", read: ".*"}]'
}

# rabbitmq_conf LISTENER DEFINITIONS: prints rabbitmq.conf. The broker loads the files of the folder DEFINITIONS in the
# order of their names, so it creates users before it sets their permissions. It does not create the user `guest`,
# because definitions are configured. cluster_conf prints the additional lines of a cluster.
rabbitmq_conf() {
    cat <<CONF
listeners.tcp.local = $1
load_definitions = $2
log.console = true
log.console.level = info
log.file = false
# The default is 512 MiB, and the broker keeps the same amount in memory.
raft.wal_max_size_bytes = 134217728
CONF
}

# configure_rabbitmq NUMBER: writes the broker's files.
configure_rabbitmq() {
    local folder home users nodes
    folder=$(broker_folder "$1") home=$STATE/$folder
    mkdir -p "$home"/{definitions,data,log}
    mapfile -t users < <(principals)
    user_definitions "${users[@]}" >"$home/definitions/1-users.json"
    if ((BROKERS == 1)); then
        cp "$ROOT/queues/definitions.json" "$home/definitions/2-warren.json"
        scratch_definitions >"$home/definitions/3-scratch.json"
    fi
    printf '[].\n' >"$home/enabled_plugins"
    : >"$home/env.conf"
    [[ -s $home/.erlang.cookie ]] || printf '%s' "$(secret erlang-cookie)" >"$home/.erlang.cookie"
    rabbitmq_conf "127.0.0.1:$(broker_port AMQP_PORT "$1")" "$home/definitions" >"$home/rabbitmq.conf"
    if ((BROKERS > 1)); then
        mapfile -t nodes < <(nodes_to_discover "$1")
        { cluster_conf "${nodes[@]}" && classic_queue_conf; } >>"$home/rabbitmq.conf"
    fi
    make_server_folder "$folder" rabbitmq
    chmod 0400 "$home/.erlang.cookie"
    chmod -R go= "$home/definitions"
}

# launch_rabbitmq: starts the port mapper and the brokers that do not run.
launch_rabbitmq() {
    set_user_prefix rabbitmq
    # If no port mapper runs, the broker or rabbitmqctl starts one, whose pid no pid file would have. A port mapper that
    # has died is therefore replaced even while the broker runs; the broker registers with the new one.
    if ! is_running epmd-1; then
        require_free_port "$EPMD_PORT" WARREN_EPMD_PORT "Erlang's port mapper"
        launch epmd-1 "${PREFIX[@]}" epmd -port "$EPMD_PORT" -address 127.0.0.1
        wait_until_ready 10 server_is_ready epmd-1
    fi
    if ((BROKERS > 1)) && ! cluster_is_formed; then
        begin_cluster
        return
    fi
    if ((BROKERS > 1)); then
        launch_formed_cluster
    else
        launch_broker 1
    fi
}

# launch_broker NUMBER: starts a broker if it does not run.
launch_broker() {
    if is_running "rabbitmq-$1"; then return; fi
    require_broker_ports "$1"
    set_user_prefix rabbitmq
    set_rabbitmq_environment "$1"
    configure_rabbitmq "$1"
    launch "rabbitmq-$1" "${PREFIX[@]}" "${RABBITMQ_ENV[@]}" "$RABBITMQ_BIN/rabbitmq-server" -noinput +B i
}

# require_broker_ports NUMBER: fails if another program listens on a port of the broker.
require_broker_ports() {
    local amqp distribution
    amqp=$(broker_port AMQP_PORT "$1") distribution=$(broker_port DIST_PORT "$1")
    require_free_port "$amqp" "WARREN_$(broker_variable AMQP_PORT "$1")" RabbitMQ
    require_free_port "$distribution" "WARREN_$(broker_variable DIST_PORT "$1")" "RabbitMQ's distribution"
}

# rabbitmq_is_ready NUMBER: succeeds if the broker has started. Tries the port first, because `rabbitmqctl` takes a
# second.
rabbitmq_is_ready() {
    port_is_open "$(broker_port AMQP_PORT "$1")" && run_rabbitmqctl "$1" -q await_startup --timeout 10 >/dev/null 2>&1
}

# rabbitmqctl ARGUMENTS…: runs `rabbitmqctl` for the broker that runs; in a cluster, for the first that runs.
rabbitmqctl() { run_rabbitmqctl "$(running_broker)" "$@"; }

# run_rabbitmqctl NUMBER ARGUMENTS…: runs `rabbitmqctl` for a broker.
run_rabbitmqctl() {
    set_rabbitmq_environment "$1"
    "${RABBITMQ_ENV[@]}" "$RABBITMQ_BIN/rabbitmqctl" "${@:2}"
}
