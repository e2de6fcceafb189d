# shellcheck shell=bash
# Everything from a fresh machine to the whole test suite, on servers and ports of its own.

# The runner's words without a line per test that began or passed; all of them are in log/test.log.
TEST_FILTER='/^◇.* started\.$/d; /^◇/,/ started\.$/d; /^✔ Test run with /b; /^✔ Test .* passed after /d'

stop_stack() {
    end_supervised
    { daemons_stop && servers_stop; } >>"$STATE/log/stop.log" 2>&1
}

clean_state() {
    if load_settings && any_alive; then stop_stack; fi
    rm -rf "${STATE:?}"/{rabbitmq,postgres,redis,cloudinary,keys,secrets,run,settings}
    make_state
}

run_tests() {
    local code=0
    if [[ -z ${WARREN_STATE-} ]]; then STATE=$ROOT/.local/test; fi
    make_state
    exec 8>"$STATE/test.lock"
    flock -n 8 || fail "another compose/local test is at work on $STATE"
    step "Clearing what the last run left" clean_state
    choose_ports free
    setting BUILD debug
    trap stop_stack EXIT
    step "Looking for packages and tools" need_packages "${PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    need_swift
    step "Checking the format" lint
    step "Checking the scripts" check_scripts
    step "Building everything and its tests (debug)" build_tests
    step "Building everything (release)" build_release
    # The tests are one busy client at one address.
    export WARREN_RATE_LIMIT=${WARREN_RATE_LIMIT:-10000/s burst 20000}
    export WARREN_CREDENTIAL_RATE_LIMIT=${WARREN_CREDENTIAL_RATE_LIMIT:-10000/min}
    # Hundreds of tests at once would starve each other of the time that they wait for things to happen.
    export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-8}
    start_stack
    eval "$(print_env)"
    export WARREN_STATE=$STATE
    say "  Testing: every line is in ${STATE#"$ROOT/"}/log/test.log"
    : >"$STATE/log/test.log"
    # The journeys kill and stop the servers that all tests share: they come last, and alone.
    swift_test --skip JourneysTests || code=$?
    swift_test --filter JourneysTests || code=$?
    say ""
    grep -E '^[^ ]+ Test run with ' "$STATE/log/test.log" || true
    exit "$code"
}

# swift_test ARGUMENTS…: one run of the test runner on what is built.
swift_test() {
    # shellcheck disable=SC2016
    supervised bash -c 'set -o pipefail; cd "$1" && log=$2 filter=$3 && shift 3 &&
        swift test --skip-build "$@" 2>&1 | tee -a "$log" | sed -uE "$filter"' - \
        "$ROOT" "$STATE/log/test.log" "$TEST_FILTER" "$@"
}
