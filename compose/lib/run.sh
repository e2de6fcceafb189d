# shellcheck shell=bash
# The commands that start and stop a stack.

# exclusively COMMAND…: one at a time per stack.
exclusively() {
    make_state
    exec 9>"$STATE/lock"
    if ! flock -n 9; then
        say "Another compose/local is at work on $STATE: waiting for it."
        flock -w 900 9 || fail "it did not end within 15 minutes"
    fi
    "$@"
}

needs_start() { load_settings || fail "nothing was started here yet: compose/local up"; }

start_stack() {
    step "Starting RabbitMQ, PostgreSQL and Redis" servers_start
    write_configuration
    step "Keys for access tokens" make_keys
    step "Starting cloudinary-local" daemons_start cloudinary-local
    step "Starting ${SERVICES[*]}" daemons_start "${SERVICES[@]}"
    step "Starting the ingress" daemons_start ingress
}

up() {
    prepare fixed
    step "Looking for packages and tools" need_packages "${PACKAGES[@]}"
    need_swift
    say "  Building takes minutes the first time, seconds later: log/build-release.log in ${STATE#"$ROOT/"}."
    step "Building" build_release
    setting BUILD release
    start_stack
    cat <<TEXT

Warren is served at http://127.0.0.1:$HTTP_PORT (health: /health/ready, contract: /openapi.json).
  compose/local demo      the whole journey, step by step
  compose/local env       addresses and passwords for a shell
  compose/local down      stops everything; the data stays in ${STATE#"$ROOT/"}
TEXT
}

up_servers() {
    prepare fixed
    step "Looking for packages and tools" need_packages "${PACKAGES[@]}"
    step "Starting RabbitMQ, PostgreSQL and Redis" servers_start
    say "  For tests by hand: eval \"\$(compose/local env)\" && swift test"
}

down() {
    load_settings || return 0
    if ! any_alive; then
        say "Nothing runs."
        rm -f "$STATE"/run/*.pid "$STATE"/run/*.born
        return
    fi
    step "Stopping the ingress and the workers" daemons_stop
    step "Stopping RabbitMQ, PostgreSQL and Redis" servers_stop
    rm -f "$STATE"/run/*.pid "$STATE"/run/*.born
}

scale() {
    local service=${1-} number=${2-}
    [[ $# == 2 && $number =~ ^[0-9]{1,2}$ ]] || fail "usage: compose/local scale SERVICE N, N from 0 to 99"
    needs_start
    case " ${SERVICES[*]} ingress cloudinary-local " in
    *" $service "*) ;;
    *) fail "no service $service: ${SERVICES[*]}, ingress or cloudinary-local" ;;
    esac
    if [[ $service == ingress || $service == cloudinary-local ]] && ((number > 1)); then
        fail "$service listens on one port: 0 or 1 of it"
    fi
    alive rabbitmq-1 || fail "Warren does not run: compose/local up"
    [[ -n ${BUILD-} ]] || fail "only the servers were started: compose/local up"
    step "$service: $number" set_number "$service" "$((10#$number))"
}

# rebuild_search: as the search service, whose rights are enough. Its exit status is that of `warren search rebuild`.
rebuild_search() {
    local secrets=$STATE/secrets
    alive rabbitmq-1 || fail "Warren does not run: compose/local up"
    [[ -n ${BUILD-} ]] || fail "only the servers were started: compose/local up"
    env -u WARREN_AMQP_URL -u WARREN_DATABASE_URL -u WARREN_REDIS_URL \
        "WARREN_AMQP_URL_FILE=$secrets/search-amqp.url" "WARREN_DATABASE_URL_FILE=$secrets/search-database.url" \
        "WARREN_REDIS_URL_FILE=$secrets/redis.url" "$ROOT/.build/$BUILD/warren" search rebuild
}
