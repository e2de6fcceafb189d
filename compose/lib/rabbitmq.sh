# shellcheck shell=bash
# A private RabbitMQ. It loads, at every start, its users (passwords from secrets/) and then
# queues/definitions.json: nothing else declares anything.

RABBITMQ_BIN=/usr/lib/rabbitmq/bin

# The environment that makes the packaged scripts use this stack's folder and ports, and no other.
rabbitmq_environment() {
    local home=$STATE/rabbitmq cores schedulers
    # The broker shares the machine with all that it serves: with a scheduler on half of the cores it spends a third less
    # time on a message than where its schedulers wake one another on all of them.
    cores=$(nproc) schedulers=$(((cores + 1) / 2))
    RABBITMQ_ENV=(
        env -i "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" "LANG=C.UTF-8" "HOME=$home"
        "RABBITMQ_NODENAME=warren@localhost"
        "RABBITMQ_CONF_ENV_FILE=$home/env.conf"
        "RABBITMQ_CONFIG_FILE=$home/rabbitmq.conf"
        "RABBITMQ_ENABLED_PLUGINS_FILE=$home/enabled_plugins"
        "RABBITMQ_MNESIA_BASE=$home/data"
        "RABBITMQ_LOG_BASE=$home/log"
        "RABBITMQ_LOGS=-"
        "RABBITMQ_DIST_PORT=$DIST_PORT"
        "RABBITMQ_CTL_DIST_PORT_MIN=$((DIST_PORT + 20000))"
        "RABBITMQ_CTL_DIST_PORT_MAX=$((DIST_PORT + 20100))"
        # Erlang's schedulers spin for a while before they sleep: on cores shared with everyone else that is only loss.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none +S $schedulers:$schedulers -kernel inet_dist_use_interface {127,0,0,1}"
        "RABBITMQ_CTL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"
        "RABBITMQ_ALLOW_INPUT=1"
        "ERL_EPMD_PORT=$EPMD_PORT" "ERL_EPMD_ADDRESS=127.0.0.1"
        "ERL_CRASH_DUMP=$home/erl_crash.dump"
    )
}

# password_hash SECRET: RabbitMQ's salted SHA-256, as definitions carry it.
password_hash() {
    local hex salt
    hex=$(openssl rand -hex 4)
    salt="\\x${hex:0:2}\\x${hex:2:2}\\x${hex:4:2}\\x${hex:6:2}"
    {
        printf '%b' "$salt"
        { printf '%b' "$salt" && printf '%s' "$1"; } | openssl dgst -sha256 -binary
    } | base64 -w0
}

# The principals are those of queues/definitions.json.
principals() { jq -r '.permissions[].user' "$ROOT/queues/definitions.json"; }

# rabbitmq_users NAME…: these users with their passwords, as definitions.
rabbitmq_users() {
    local name
    for name in "$@"; do
        jq -n --arg name "$name" --arg hash "$(password_hash "$(secret "amqp-$name")")" \
            '{name: $name, password_hash: $hash, hashing_algorithm: "rabbit_password_hashing_sha256", tags: []}'
    done | jq -s '{users: .}'
}

# For tests: a user with two vhosts of its own. In one of them a daemon may take all messages of its service, while in
# the other nobody does.
rabbitmq_scratch() {
    rabbitmq_users scratch | jq '. + {vhosts: [{name: "scratch"}, {name: "scratch-daemons"}]}
        | .permissions = [.vhosts[] | {user: "scratch", vhost: .name, configure: ".*", write: ".*", read: ".*"}]'
}

# rabbitmq_conf LISTENER DEFINITIONS: its configuration. The folder's files are loaded by name: users come before
# what they may do, and where there are definitions the broker makes no user `guest`.
rabbitmq_conf() {
    cat <<CONF
listeners.tcp.local = $1
load_definitions = $2
log.console = true
log.console.level = info
log.file = false
# Half a gigabyte by default, which is also what it keeps in memory.
raft.wal_max_size_bytes = 134217728
CONF
}

rabbitmq_configure() {
    local home=$STATE/rabbitmq users
    mkdir -p "$home"/{definitions,data,log}
    mapfile -t users < <(principals)
    rabbitmq_users "${users[@]}" >"$home/definitions/1-users.json"
    cp "$ROOT/queues/definitions.json" "$home/definitions/2-warren.json"
    rabbitmq_scratch >"$home/definitions/3-scratch.json"
    printf '[].\n' >"$home/enabled_plugins"
    : >"$home/env.conf"
    [[ -s $home/.erlang.cookie ]] || printf '%s' "$(secret erlang-cookie)" >"$home/.erlang.cookie"
    rabbitmq_conf "127.0.0.1:$AMQP_PORT" "$home/definitions" >"$home/rabbitmq.conf"
    server_folder rabbitmq rabbitmq
    chmod 0400 "$home/.erlang.cookie"
    chmod -R go= "$home/definitions"
}

rabbitmq_start() {
    server_prefix rabbitmq
    rabbitmq_environment
    if ! alive epmd-1; then
        claim_port "$EPMD_PORT" WARREN_EPMD_PORT "Erlang's port mapper"
        launch epmd-1 "${PREFIX[@]}" epmd -port "$EPMD_PORT" -address 127.0.0.1
        await epmd-1 10 port_open "$EPMD_PORT"
    fi
    if alive rabbitmq-1; then return; fi
    claim_port "$AMQP_PORT" WARREN_AMQP_PORT RabbitMQ
    claim_port "$DIST_PORT" WARREN_DIST_PORT "RabbitMQ's distribution"
    rabbitmq_configure
    launch rabbitmq-1 "${PREFIX[@]}" "${RABBITMQ_ENV[@]}" "$RABBITMQ_BIN/rabbitmq-server" -noinput +B i
}

# By the last words of its banner, which it prints itself: its logger drops lines when there are many at once, as after a
# crash that left many queues.
rabbitmq_ready() {
    if [[ -n ${LOG_START[rabbitmq-1]-} ]]; then await rabbitmq-1 120 said rabbitmq-1 'completed with [0-9]+ plugins'; fi
}

rabbitmqctl() {
    rabbitmq_environment
    "${RABBITMQ_ENV[@]}" "$RABBITMQ_BIN/rabbitmqctl" "$@"
}
