# shellcheck shell=bash
# The bench, with a stack of its own. `warren-bench` (Sources/Tools/Bench) measures; this file starts what it needs.

# run_bench ARGUMENT…: builds Warren, starts a stack, and runs `warren-bench` with the arguments. Returns its status.
run_bench() {
    local program=$ROOT/.build/release/warren-bench code=0
    case " $* " in *' -h '* | *' --help '*)
        print_bench_help "$program"
        exit 0
        ;;
    esac
    prepare_own_stack bench release wrk
    # The data is also deleted if the bench fails or Ctrl-C stops it.
    trap 'stop_own_stack; remove_own_data' EXIT
    run_step "Building (release)" build_release
    # Faulty arguments are reported before the stack is started.
    "$program" --dry-run "$@" || exit
    case " $* " in *' --dry-run '*) exit 0 ;; esac
    # The load comes from one address, so the limits for clients are raised. They stay on, because counting has a cost.
    export WARREN_RATE_LIMIT="1000000/s burst 1000000" WARREN_CREDENTIAL_RATE_LIMIT="1000000/s burst 1000000"
    export WARREN_BODY_BYTES=$((1 << 30)) WARREN_RESPONSE_BYTES=$((1 << 28)) WARREN_LOG_LEVEL=info
    start_own_stack
    WARREN_BENCH_COMMIT=$(checkout_commit)
    export WARREN_BENCH_COMMIT WARREN_BENCH_LOCAL=$ROOT/compose/local
    run_in_group "$program" "$@" || code=$?
    run_step "Stopping all processes" stop_own_stack
    run_step "Deleting the data" remove_own_data
    exit "$code"
}

# print_bench_help PROGRAM: prints the options. Does not build PROGRAM, because a build takes minutes.
print_bench_help() {
    if [[ -x $1 ]]; then
        "$1" --help
    else
        say "The section Bench of compose/README.md lists the options. After the first bench, --help prints them."
    fi
}

# checkout_commit: prints the commit of the checkout, with the ending `-dirty` if files were changed.
checkout_commit() { git -C "$ROOT" describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || true; }
