# shellcheck shell=bash
# Warren's own processes: their environment, start, readiness and number.

# program_of SERVICE: prints the path of the service's program.
program_of() {
    case $1 in
    cloudinary-local) printf '%s/.build/%s/cloudinary-local' "$ROOT" "$BUILD" ;;
    *) printf '%s/.build/%s/warren-%s' "$ROOT" "$BUILD" "$1" ;;
    esac
}

# write_addresses: writes the servers' addresses, with passwords, to files that the daemons read, and makes the key for
# receipts.
write_addresses() {
    local service
    secret receipts >/dev/null
    for service in ingress "${SERVICES[@]}"; do
        daemon_amqp_url "$service" | write_secret "$service-amqp.url"
        redis_user_url "$service" | write_secret "$service-redis.url"
    done
    for service in "${SERVICES[@]}"; do database_url "$service" | write_secret "$service-database.url"; done
    cloudinary_url | write_secret cloudinary.url
    mkdir -p "$STATE/cloudinary"
}

# set_command NAME: sets COMMAND to the command that runs the daemon with the stack's addresses and secrets. The daemon
# inherits all other variables, so that its limits and its log level can be set for `up` and `scale`.
set_command() {
    local service=${1%-*} secrets=$STATE/secrets
    COMMAND=(env -u WARREN_AMQP_URL -u WARREN_DATABASE_URL -u WARREN_REDIS_URL -u CLOUDINARY_URL
        -u WARREN_SIGNING_KEY -u WARREN_VERIFY_KEYS -u WARREN_RECEIPT_KEYS -u WARREN_HEALTH_FILE)
    case $service in
    cloudinary-local)
        COMMAND=("$(program_of "$service")" --address "127.0.0.1:$CLOUDINARY_PORT" --cloud warren --key local
            --secret-file "$secrets/cloudinary" --directory "$STATE/cloudinary")
        return
        ;;
    ingress)
        COMMAND+=("WARREN_VERIFY_KEYS_FILE=$STATE/keys/jwks.json" "WARREN_RECEIPT_KEYS_FILE=$secrets/receipts"
            "WARREN_HTTP_ADDRESS=127.0.0.1:$HTTP_PORT")
        ;;
    *)
        COMMAND+=("WARREN_DATABASE_URL_FILE=$secrets/$service-database.url" "WARREN_HEALTH_FILE=$(health_file "$1")"
            "WARREN_TRUSTED_PRINCIPALS=${WARREN_TRUSTED_PRINCIPALS:-ingress,integrator}")
        ;;
    esac
    case $service in
    identity) COMMAND+=("WARREN_SIGNING_KEY_FILE=$STATE/keys/signing-key.pem") ;;
    media) COMMAND+=("CLOUDINARY_URL_FILE=$secrets/cloudinary.url") ;;
    esac
    COMMAND+=("WARREN_AMQP_URL_FILE=$secrets/$service-amqp.url" "WARREN_REDIS_URL_FILE=$secrets/$service-redis.url"
        "WARREN_LOG_LEVEL=${WARREN_LOG_LEVEL:-info}" "$(program_of "$service")")
}

launch_daemon() {
    case ${1%-*} in
    ingress) require_free_port "$HTTP_PORT" WARREN_HTTP_PORT "the HTTP API" ;;
    cloudinary-local) require_free_port "$CLOUDINARY_PORT" WARREN_CLOUDINARY_PORT cloudinary-local ;;
    esac
    set_command "$1"
    launch "$1" "${COMMAND[@]}"
}

# daemon_is_ready NAME: runs the health check of the containers for this daemon. It does not depend on the log level.
daemon_is_ready() {
    local file
    file=$(health_file "$1")
    case ${1%-*} in
    ingress) port_is_open "$HTTP_PORT" && run_health_check http "$HTTP_PORT" /health/ready ;;
    cloudinary-local) run_health_check port "$CLOUDINARY_PORT" ;;
    *) [[ -f $file ]] && WARREN_HEALTH_FILE=$file run_health_check file ;;
    esac
}

run_health_check() { timeout 3 "$ROOT/compose/healthy" "$@" 2>/dev/null; }

# wait_for_daemons NAME…: waits until these daemons are ready. Fails after 60 s, or as soon as one of them exits.
wait_for_daemons() { wait_until_ready 60 daemon_is_ready "$@"; }

# set_daemon_count SERVICE N: starts or stops processes until exactly N run. Those with the highest numbers are stopped.
set_daemon_count() {
    local service=$1 wanted=$2 number=0 names name started=()
    mapfile -t names < <(running_processes "$service")
    if ((${#names[@]} > wanted)); then stop_processes TERM "${names[@]:wanted}"; fi
    for name in "$STATE/run/$service"-*.pid; do
        name=$(basename "$name" .pid)
        if ! is_running "$name"; then remove_process_files "$name"; fi
    done
    while ((${#names[@]} + ${#started[@]} < wanted)); do
        number=$((number + 1))
        name=$service-$number
        if is_running "$name"; then continue; fi
        launch_daemon "$name"
        started+=("$name")
    done
    wait_for_daemons ${started[@]+"${started[@]}"}
}

# start_daemons SERVICE…: starts a process of each service that has none, and restarts processes whose program was built
# after they were started. Waits until all processes of these services are ready.
start_daemons() {
    local service name outdated=() all=()
    for service in "$@"; do
        for name in $(running_processes "$service"); do
            all+=("$name")
            if [[ $(program_of "$service") -nt $STATE/run/$name.pid ]]; then outdated+=("$name"); fi
        done
    done
    stop_processes TERM ${outdated[@]+"${outdated[@]}"}
    for name in ${outdated[@]+"${outdated[@]}"}; do launch_daemon "$name"; done
    for service in "$@"; do
        if [[ -z $(running_processes "$service") ]]; then
            launch_daemon "$service-1"
            all+=("$service-1")
        fi
    done
    wait_for_daemons "${all[@]}"
}

stop_daemons() {
    local service names=()
    for service in "${SERVICES[@]}"; do mapfile -t -O "${#names[@]}" names < <(running_processes "$service"); done
    # The ingress stops first, while the workers can still reply to its pending requests.
    stop_processes TERM ingress-1
    stop_processes TERM ${names[@]+"${names[@]}"}
    stop_processes TERM cloudinary-local-1
}
