# shellcheck shell=bash
# Stacks that one command starts for itself and stops at its end. The tests and the bench use them.

# prepare_own_stack NAME BUILD PACKAGE…: selects the folder .local/NAME and locks it, deletes the data of the last run,
# reserves ports, and installs packages. WARREN_STATE selects another folder. Fails if the folder has a stack that
# another command started. BUILD is the build whose programs the stack runs. When this script exits, it stops the stack.
# The stack is a cluster if BROKERS is 3.
prepare_own_stack() {
    local name=$1 build=$2 brokers=$BROKERS
    shift 2
    if [[ -z ${WARREN_STATE-} ]]; then STATE=$ROOT/.local/$name; fi
    # A folder with settings but without the lock has a stack that another command started, and its data.
    [[ -e $STATE/$name.lock || ! -e $STATE/settings ]] ||
        fail "$STATE has a stack that compose/local $name did not start: select another folder with WARREN_STATE"
    make_state_folder
    exec 8>"$STATE/$name.lock"
    flock -n 8 || fail "another compose/local $name is running in $STATE"
    run_step "Deleting the data of the last run" remove_own_data_and_logs
    # The settings of the last run were loaded to stop its stack.
    BROKERS=$brokers
    reserve_free_ports
    save_setting BUILD "$build"
    trap stop_own_stack EXIT
    run_step "Checking packages" install_packages "${PACKAGES[@]}" "$@"
    require_redis
    require_swift
    # The caller's shell may have exported the addresses of another stack.
    unset "${!WARREN_TEST_@}" WARREN_STATE WARREN_URL WARREN_INTEGRATOR_URL WARREN_OPERATOR_URL WARREN_REDIS_URL \
        WARREN_LIMITS_REDIS_URL CLOUDINARY_URL
}

# start_own_stack: starts all servers and daemons, and exports their addresses.
start_own_stack() {
    start_stack
    eval "$(print_stack_addresses && print_test_addresses "${SERVERS[@]}")"
    export WARREN_STATE=$STATE
}

# remove_own_data: stops the stack if it runs, and deletes its data. The logs of the processes stay.
remove_own_data() {
    if load_settings && any_running; then stop_own_stack; fi
    rm -rf "${STATE:?}"/{rabbitmq,rabbitmq-*,postgres,redis,limits,cloudinary,keys,secrets,run,bench,settings}
    make_state_folder
}

remove_own_data_and_logs() {
    remove_own_data
    # Some tests read the logs of the processes. A rotation during the run, which could move the lines that a test looks
    # for, is unlikely if the logs are empty at the start.
    rm -f "$STATE"/log/*-[0-9]*.log{,.1}
}

stop_own_stack() {
    end_group
    { stop_daemons && stop_servers; } >>"$STATE/log/stop.log" 2>&1
}
