# shellcheck shell=bash
# The chaos suite, with a stack of its own. `warren-chaos` (Sources/Tools/Chaos) causes the faults and checks the
# promises; this file starts what it needs.

# run_chaos ARGUMENT…: builds Warren, starts a stack, and runs `warren-chaos` with the arguments. Returns its status.
run_chaos() {
    local program=$ROOT/.build/release/warren-chaos code=0
    case " $* " in *' -h '* | *' --help '*)
        print_chaos_help "$program"
        exit 0
        ;;
    esac
    prepare_own_stack chaos release faketime
    run_step "Building (release)" build_release
    # Faulty arguments are reported before the stack is started.
    "$program" --dry-run "$@" || exit
    attack_stack "$program" "$@" || code=$?
    run_step "Stopping all processes" stop_own_stack
    # The data of a run that has found a broken promise stays, so that its cause can be found.
    if ((code == 0)); then run_step "Deleting the data" remove_own_data; fi
    exit "$code"
}

# attack_stack PROGRAM ARGUMENT…: starts a stack for the suite, and attacks it. Returns the status of PROGRAM.
attack_stack() {
    # All requests come from one address.
    export WARREN_RATE_LIMIT="1000000/s burst 1000000" WARREN_CREDENTIAL_RATE_LIMIT="1000000/s burst 1000000"
    export WARREN_CHAOS_LOCAL=$ROOT/compose/local
    run_step "Starting RabbitMQ, PostgreSQL and Redis" start_servers "${SERVERS[@]}"
    write_addresses
    run_step "Making the keys for access tokens" make_token_keys "$ROOT/.build/$BUILD/warren"
    eval "$(print_stack_addresses)"
    export WARREN_STATE=$STATE
    run_in_group "$@"
}

# print_chaos_help PROGRAM: prints the options. Does not build PROGRAM, because a build takes minutes.
print_chaos_help() {
    if [[ -x $1 ]]; then
        "$1" --help
    else
        say "The section Chaos of compose/README.md lists the options. After the first run, --help prints the faults."
    fi
}
