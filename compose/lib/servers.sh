# shellcheck shell=bash
# The three private servers together.

any_alive() {
    local file
    for file in "$STATE"/run/*.pid; do
        if [[ -f $file ]] && alive "$(basename "$file" .pid)"; then return 0; fi
    done
    return 1
}

# prepare fixed|free: the stack's folder and ports. A stack that runs keeps the ports it has.
prepare() {
    make_state
    if any_alive && load_settings; then return; fi
    choose_ports "$1"
}

servers_start() {
    rabbitmq_start
    postgres_start
    redis_start
    redis_ready
    postgres_ready
    rabbitmq_ready
}

servers_stop() {
    # SIGTERM makes PostgreSQL wait for its clients to leave; SIGINT ends their sessions.
    stop INT postgres-1
    stop TERM redis-1 rabbitmq-1
    stop TERM epmd-1
}
