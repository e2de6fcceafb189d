# shellcheck shell=bash
# The tests, on servers and ports of their own.

# A sed script that removes the runner's lines about tests that have started or passed. log/test.log has all lines.
HIDE_PASSED='/^◇.* started\.$/d; /^◇/,/ started\.$/d; /^✔ Test run with /b; /^✔ Test .* passed after /d'

# run_tests [TARGET [FILTER]]: runs all tests, the tests of TARGET, or the tests of TARGET whose names match FILTER.
run_tests() {
    local target=${1-}
    if (($#)); then
        target=${target%Tests}
        if ! [[ $target =~ ^[A-Za-z0-9]+$ && -v TEST_NEEDS[$target] ]]; then
            printf 'compose/local: unknown test target %q. The targets and the servers that each needs:\n\n' "$1" >&2
            print_targets >&2
            exit 64
        fi
    fi
    if ((! $#)) || [[ ${TEST_NEEDS[$target]} == stack ]]; then TEST_PACKAGES+=("${STACK_TEST_PACKAGES[@]}"); fi
    prepare_tests "$target"
    if (($#)); then test_target "$target" "${2-}"; else test_everything; fi
}

# prepare_tests TARGET: prepares the stack of the tests, and empties their log. TARGET is empty if all tests run.
prepare_tests() {
    local packages=("${TEST_PACKAGES[@]}")
    # A browser needs 400 MB, so it is installed only for the tests that show pictures in it.
    if [[ ${1:-ImageHeaders} == ImageHeaders ]] && ! has_browser; then packages+=(chromium); fi
    prepare_own_stack test debug "${packages[@]}"
    : >"$STATE/log/test.log"
    # If hundreds of tests ran in parallel, some would exceed their time limits.
    export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-8}
}

test_everything() {
    local code=0
    run_checks
    run_step "Building programs and tests (debug)" build_debug
    run_step "Building programs (release)" build_release
    start_tested_stack
    say "  Running all tests. The whole output is in ${STATE#"$ROOT/"}/log/test.log"
    # The tests of Journeys stop and kill servers that all tests share, so they run last and alone.
    run_test_runner --skip JourneysTests || code=$?
    run_test_runner --filter JourneysTests || code=$?
    run_step "Stopping all processes" stop_own_stack
    say "  Causing faults under load (compose/local chaos --short)"
    WARREN_STATE=$STATE/chaos run_in_group "$ROOT/compose/local" chaos --short || code=$?
    say ""
    # Repeats the issues, because the output of the chaos run follows them.
    grep -E ' recorded an issue' "$STATE/log/test.log" | head -n 40 || true
    grep -E '^[^ ]+ Test run with ' "$STATE/log/test.log" || true
    exit "$code"
}

# test_target TARGET FILTER: builds the target, starts only the servers that it needs, and runs its tests whose names
# match FILTER. If the target needs `stack`, builds and starts all servers and daemons.
test_target() {
    local target=$1 filter="^$1Tests\\." needs
    read -ra needs <<<"${TEST_NEEDS[$1]}"
    if [[ -n $2 ]]; then filter+="(?i:.*($2))"; fi
    if [[ ${needs[*]} == stack ]]; then
        run_step "Building programs and tests (debug)" build_debug
        start_tested_stack
    else
        run_step "Building ${target}Tests (debug)" build_test_target "${target}Tests"
        if ((${#needs[@]})); then run_step "Starting ${needs[*]}" start_servers "${needs[@]}"; fi
        eval "$(print_test_addresses "${needs[@]}")"
    fi
    say "  Running the tests. The whole output is in ${STATE#"$ROOT/"}/log/test.log"
    run_test_runner --filter "$filter"
    # The runner also succeeds if no test matches the filter.
    grep -qE ' Test run with [1-9]' "$STATE/log/test.log" ||
        fail "no test of ${target}Tests ran${2:+: none matches $2}"
    exit 0
}

# start_tested_stack: starts all servers and daemons, and exports their addresses.
start_tested_stack() {
    # All tests send their requests from one address, so the default rate limits would refuse some of the requests.
    export WARREN_RATE_LIMIT=${WARREN_RATE_LIMIT:-10000/s burst 20000}
    export WARREN_CREDENTIAL_RATE_LIMIT=${WARREN_CREDENTIAL_RATE_LIMIT:-10000/min}
    start_own_stack
}

# run_test_runner ARGUMENTS…: runs `swift test` without a build. Returns its exit status.
run_test_runner() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    run_in_group bash -c 'set -o pipefail; cd "$1" && log=$2 hide=$3 && shift 3 &&
        swift test --skip-build "$@" 2>&1 | tee -a "$log" | sed -uE "$hide"' - \
        "$ROOT" "$STATE/log/test.log" "$HIDE_PASSED" "$@"
}
