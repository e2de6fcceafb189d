# shellcheck shell=bash
# Starts and stops RabbitMQ, PostgreSQL and the two Redis servers, which only this stack uses. Their processes are named
# `rabbitmq-1`, `postgres-1`, `redis-1` and `limits-1`; a cluster also has `rabbitmq-2` and `rabbitmq-3`. The process
# `epmd-1` is RabbitMQ's port mapper. The process `log-rotation-1` limits the size of all logs.

# shellcheck disable=SC2034 # used by other parts
SERVERS=(rabbitmq postgres redis limits)

server_is_ready() {
    case $1 in
    epmd-1) port_is_open "$EPMD_PORT" ;;
    rabbitmq-*) rabbitmq_is_ready "${1#rabbitmq-}" ;;
    postgres-1) postgres_is_ready ;;
    redis-1) redis_is_ready redis "$REDIS_PORT" ;;
    limits-1) redis_is_ready limits "$LIMITS_PORT" ;;
    esac
}

# start_servers SERVER…: starts those of the servers that do not run, waits until all of them are ready, and creates
# PostgreSQL's roles and databases.
start_servers() {
    local server names=()
    for server in "$@"; do
        # complete_cluster waits for the brokers of a formed cluster, any of which may be broken.
        if [[ $server != rabbitmq ]] || ((BROKERS == 1)) || ! cluster_is_formed; then names+=("$server-1"); fi
        "launch_$server"
    done
    # Started last: if only this process ran after a conflict of ports, the stack would count as running, and the next
    # `up` would ignore the new port.
    launch_log_rotation
    wait_until_ready 120 server_is_ready ${names[@]+"${names[@]}"}
    if [[ " $* " == *" rabbitmq "* ]]; then complete_cluster; fi
    if [[ " $* " == *" postgres "* ]]; then make_roles; fi
}

stop_servers() {
    local names
    mapfile -t names < <(broker_names)
    # SIGTERM makes PostgreSQL wait for its clients to disconnect; SIGINT ends their sessions.
    stop_processes INT postgres-1
    stop_processes TERM redis-1 limits-1 "${names[@]}"
    stop_processes TERM epmd-1
    stop_processes TERM log-rotation-1
}
