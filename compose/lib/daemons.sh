# shellcheck shell=bash
# Warren's own processes: their environment, start, readiness and number.

program_of() {
    case $1 in
    cloudinary-local) printf '%s/.build/%s/cloudinary-local' "$ROOT" "$BUILD" ;;
    *) printf '%s/.build/%s/warren-%s' "$ROOT" "$BUILD" "$1" ;;
    esac
}

# write_configuration: addresses with passwords, as files that the daemons read.
write_configuration() {
    local service
    for service in "${SERVICES[@]}"; do
        amqp_url "$service" | keep "$service-amqp.url"
        database_url "$service" | keep "$service-database.url"
    done
    amqp_url ingress | keep ingress-amqp.url
    redis_url 0 | keep redis.url
    cloudinary_url | keep cloudinary.url
    mkdir -p "$STATE/cloudinary"
}

# make_keys: the key pair that signs access tokens and the public half that verifies them.
make_keys() {
    [[ -s $STATE/keys/signing-key.pem && -s $STATE/keys/jwks.json ]] && return
    mkdir -p "$STATE/keys"
    "$ROOT/.build/$BUILD/warren" keys new "$STATE/keys" >"$STATE/log/keys.log" 2>&1 || {
        tail_of "$STATE/log/keys.log"
        fail "the signing key could not be made"
    }
    chmod 0600 "$STATE/keys"/*
}

# command_of SERVICE: sets COMMAND to the program with what it is told. The rest of the environment
# passes through, so that limits and log levels can be set for `up`.
command_of() {
    local secrets=$STATE/secrets
    COMMAND=(env -u WARREN_AMQP_URL -u WARREN_DATABASE_URL -u WARREN_REDIS_URL -u CLOUDINARY_URL
        -u WARREN_SIGNING_KEY -u WARREN_VERIFY_KEYS)
    case $1 in
    cloudinary-local)
        COMMAND=("$(program_of "$1")" --address "127.0.0.1:$CLOUDINARY_PORT" --cloud warren --key local
            --secret-file "$secrets/cloudinary" --directory "$STATE/cloudinary")
        return
        ;;
    ingress)
        COMMAND+=("WARREN_VERIFY_KEYS_FILE=$STATE/keys/jwks.json" "WARREN_HTTP_ADDRESS=127.0.0.1:$HTTP_PORT")
        ;;
    *)
        COMMAND+=("WARREN_DATABASE_URL_FILE=$secrets/$1-database.url"
            "WARREN_TRUSTED_PRINCIPALS=${WARREN_TRUSTED_PRINCIPALS:-ingress,integrator}")
        ;;
    esac
    case $1 in
    identity) COMMAND+=("WARREN_SIGNING_KEY_FILE=$STATE/keys/signing-key.pem") ;;
    media) COMMAND+=("CLOUDINARY_URL_FILE=$secrets/cloudinary.url") ;;
    esac
    COMMAND+=("WARREN_AMQP_URL_FILE=$secrets/$1-amqp.url" "WARREN_REDIS_URL_FILE=$secrets/redis.url"
        "WARREN_LOG_LEVEL=${WARREN_LOG_LEVEL:-info}" "$(program_of "$1")")
}

daemon_start() {
    local service=${1%-*}
    case $service in
    ingress) claim_port "$HTTP_PORT" WARREN_HTTP_PORT "the HTTP API" ;;
    cloudinary-local) claim_port "$CLOUDINARY_PORT" WARREN_CLOUDINARY_PORT cloudinary-local ;;
    esac
    command_of "$service"
    launch "$1" "${COMMAND[@]}"
}

daemon_up() {
    case ${1%-*} in
    ingress) [[ $(curl -s -o /dev/null -m 2 -w '%{http_code}' "http://127.0.0.1:$HTTP_PORT/health/ready") == 200 ]] ;;
    *) said "$1" '"message" ?: ?"ready"' ;;
    esac
}

daemon_ready() { await "$1" 20 daemon_up "$1"; }

# set_number SERVICE N: exactly N processes; those with the highest numbers leave first.
set_number() {
    local service=$1 wanted=$2 number=0 names name started=()
    mapfile -t names < <(running "$service")
    if ((${#names[@]} > wanted)); then stop TERM "${names[@]:wanted}"; fi
    for name in "$STATE/run/$service"-*.pid; do
        name=$(basename "$name" .pid)
        if ! alive "$name"; then forget "$name"; fi
    done
    while ((${#names[@]} + ${#started[@]} < wanted)); do
        number=$((number + 1))
        name=$service-$number
        alive "$name" && continue
        daemon_start "$name"
        started+=("$name")
    done
    for name in ${started[@]+"${started[@]}"}; do daemon_ready "$name"; done
}

# daemons_start SERVICE…: at least one of each, those anew whose program was built after their start.
daemons_start() {
    local service name again=()
    for service in "$@"; do
        for name in $(running "$service"); do
            if [[ $(program_of "$service") -nt $STATE/run/$name.pid ]]; then again+=("$name"); fi
        done
    done
    if ((${#again[@]})); then stop TERM "${again[@]}"; fi
    for name in ${again[@]+"${again[@]}"}; do daemon_start "$name"; done
    for service in "$@"; do
        if [[ -z $(running "$service") ]]; then
            daemon_start "$service-1"
            again+=("$service-1")
        fi
    done
    for name in ${again[@]+"${again[@]}"}; do daemon_ready "$name"; done
}

daemons_stop() {
    local service names=()
    for service in "${SERVICES[@]}"; do mapfile -t -O "${#names[@]}" names < <(running "$service"); done
    # The ingress first: what it still awaits is answered while the workers live.
    stop TERM ingress-1
    stop TERM ${names[@]+"${names[@]}"}
    stop TERM cloudinary-local-1
}
