# shellcheck shell=bash
# The commands that start, change and stop a stack.

# with_stack_lock COMMAND…: runs a command that changes the stack. Waits until no other such command runs.
with_stack_lock() {
    make_state_folder
    exec 9>"$STATE/lock"
    if ! flock -n 9; then
        say "Another compose/local is changing $STATE: waiting for it to finish."
        flock -w 900 9 || fail "the other compose/local did not finish within 15 minutes"
    fi
    "$@"
}

require_started() { load_settings || fail "this stack was never started: run compose/local up"; }

require_running() {
    require_started
    is_running "rabbitmq-$(running_broker)" || fail "Warren is not running: run compose/local up"
    [[ -n ${BUILD-} ]] || fail "only the servers are running: run compose/local up"
}

# prepare_stack [--cluster]: makes the stack's folder and chooses its ports. A running stack keeps its ports, and a
# stack keeps the number of its brokers.
prepare_stack() {
    make_state_folder
    load_settings || true
    if [[ ${1-} == --cluster ]]; then
        if ((BROKERS == 1)) && [[ -d $STATE/rabbitmq ]]; then
            fail "$STATE has one broker, and only a new stack can be a cluster: run compose/local down and delete" \
                "$STATE, or select another folder with WARREN_STATE"
        fi
        BROKERS=3
    fi
    if any_running; then return; fi
    choose_ports
}

start_stack() {
    run_step "Starting RabbitMQ, PostgreSQL and Redis" start_servers "${SERVERS[@]}"
    write_addresses
    run_step "Making the keys for access tokens" make_token_keys "$ROOT/.build/$BUILD/warren"
    run_step "Starting cloudinary-local" start_daemons cloudinary-local
    run_step "Starting ${SERVICES[*]}" start_daemons "${SERVICES[@]}"
    run_step "Starting the ingress" start_daemons ingress
}

up() {
    prepare_stack "$@"
    run_step "Checking packages" install_packages "${PACKAGES[@]}"
    require_redis
    require_swift
    say "  A first build takes about six minutes on two cores: it compiles SwiftNIO and the cryptographic libraries."
    say "  Later builds take seconds. The log is ${STATE#"$ROOT/"}/log/build-release.log"
    run_step "Building" build_stack
    save_setting BUILD release
    start_stack
    cat <<TEXT

Warren listens at http://127.0.0.1:$HTTP_PORT (health: /health/ready, API description: /openapi.json).
  compose/local demo      sends requests to the API, step by step
  compose/local env       prints addresses and passwords for a shell
  compose/local down      stops all processes; the data stays in ${STATE#"$ROOT/"}
TEXT
}

up_servers() {
    prepare_stack "$@"
    run_step "Checking packages" install_packages "${PACKAGES[@]}"
    require_redis
    run_step "Starting RabbitMQ, PostgreSQL and Redis" start_servers "${SERVERS[@]}"
    say "  To run tests by hand: eval \"\$(compose/local env)\" && swift test --filter NAME"
}

down() {
    load_settings || return 0
    if any_running; then
        run_step "Stopping the ingress and the workers" stop_daemons
        run_step "Stopping RabbitMQ, PostgreSQL and Redis" stop_servers
    else
        say "No process is running."
    fi
    remove_all_process_files
}

scale() {
    local service=${1-} number=${2-}
    [[ $# == 2 && $number =~ ^[0-9]{1,2}$ ]] || fail "usage: compose/local scale SERVICE N, with N from 0 to 99"
    case " ${SERVICES[*]} ingress cloudinary-local " in
    *" $service "*) ;;
    *) fail "unknown service $service: must be $(printf '%s, ' "${SERVICES[@]}")ingress or cloudinary-local" ;;
    esac
    if [[ $service == ingress || $service == cloudinary-local ]] && ((10#$number > 1)); then
        fail "only one $service can run, because it listens on a fixed port: N must be 0 or 1"
    fi
    require_running
    run_step "Scaling $service to $((10#$number))" set_daemon_count "$service" "$((10#$number))"
}

# rebuild_search: runs `warren search rebuild` with the rights of the search service. Returns the command's exit status.
rebuild_search() {
    local secrets=$STATE/secrets
    require_running
    env -u WARREN_AMQP_URL -u WARREN_DATABASE_URL -u WARREN_REDIS_URL \
        "WARREN_AMQP_URL_FILE=$secrets/search-amqp.url" "WARREN_DATABASE_URL_FILE=$secrets/search-database.url" \
        "WARREN_REDIS_URL_FILE=$secrets/search-redis.url" "$ROOT/.build/$BUILD/warren" search rebuild
}

# print_env: prints the addresses of the stack. Says on standard error which stack it is, because the caller's shell
# evaluates the standard output.
print_env() {
    local run='not running'
    require_started
    if any_running; then run=running; fi
    printf '%s: addresses of the stack in %s (%s, http://127.0.0.1:%s)\n' "$SELF" "$STATE" "$run" "$HTTP_PORT" >&2
    print_stack_addresses
    print_test_addresses "${SERVERS[@]}"
}
