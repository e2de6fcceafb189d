# shellcheck shell=bash
# The chaos suite, with a stack of its own. `warren-chaos` (Sources/Tools/Chaos) causes the faults and checks the
# promises; this file starts what it needs.

# run_chaos ARGUMENT…: builds Warren, starts a stack, and runs `warren-chaos` with the arguments. Returns its status.
# WARREN_SANITIZER=address selects a build with the address sanitizer, whose reports count as failures.
run_chaos() {
    # `warren-chaos` calls this after a fault, because `servers` would also start what another fault has ended.
    if [[ ${1-} == --start-servers ]]; then
        with_stack_lock start_named_servers "${@:2}"
        return
    fi
    local sanitizer=${WARREN_SANITIZER-} folder=release program code=0
    case $sanitizer in
    '') ;;
    address) folder=address-sanitizer/release ;;
    *) fail "WARREN_SANITIZER must be address: $sanitizer" ;;
    esac
    program=$ROOT/.build/$folder/warren-chaos
    case " $* " in *' -h '* | *' --help '* | *' --list '*)
        print_chaos_help "$program" "$@"
        exit 0
        ;;
    esac
    case " $* " in *' --cluster '*) BROKERS=3 ;; esac
    prepare_own_stack chaos "$folder" faketime wrk
    # A run that was killed may have left its file system mounted, and its files. Programs append to their logs, so the
    # logs of the processes that the suite itself starts are deleted, too.
    unmount_chaos_disk
    stop_flood
    rm -rf "$STATE"/chaos-* "$STATE"/log/{*-chaos,chaos-findings}.log
    # The suite may be interrupted while it has stopped processes with SIGSTOP, which then ignore SIGTERM.
    trap 'continue_processes; stop_own_stack || true; stop_flood; unmount_chaos_disk' EXIT
    if [[ -n $sanitizer ]]; then
        run_step "Building with the address sanitizer" build_with_sanitizer
        write_sanitizer_reports
    else
        run_step "Building (release)" build_release
    fi
    # Faulty arguments are reported before the stack is started.
    "$program" --dry-run "$@" || exit
    start_attacked_stack
    run_in_group "$program" "$@" || code=$?
    continue_processes
    run_step "Stopping all processes" stop_own_stack
    if [[ -n $sanitizer ]]; then require_no_sanitizer_reports || code=1; fi
    unmount_chaos_disk
    # The data of a run that has found a broken promise stays, so that its cause can be found.
    if ((code == 0)); then run_step "Deleting the data" remove_chaos_data; fi
    exit "$code"
}

# start_attacked_stack: starts a stack for the suite, and exports its addresses.
start_attacked_stack() {
    local number
    # All requests come from one address.
    export WARREN_RATE_LIMIT="1000000/s burst 1000000" WARREN_CREDENTIAL_RATE_LIMIT="1000000/s burst 1000000"
    export WARREN_CHAOS_LOCAL=$ROOT/compose/local
    run_step "Starting RabbitMQ, PostgreSQL and Redis" start_servers "${SERVERS[@]}"
    write_addresses
    run_step "Making the keys for access tokens" make_token_keys "$ROOT/.build/$BUILD/warren"
    eval "$(print_stack_addresses)"
    WARREN_CHAOS_BROKERS=$(for number in $(seq "$BROKERS"); do broker_port AMQP_PORT "$number" && printf ,; done)
    export WARREN_STATE=$STATE WARREN_CHAOS_BROKERS
}

# start_named_servers SERVER…: starts those of these servers that do not run, in the stack of WARREN_STATE.
start_named_servers() {
    require_started
    start_servers "$@"
}

# write_sanitizer_reports: makes the sanitizer of each process write its report to log/sanitizer.PID.
write_sanitizer_reports() {
    rm -f "$STATE"/log/sanitizer.*
    export ASAN_OPTIONS="log_path=$STATE/log/sanitizer"
}

# require_no_sanitizer_reports: fails if the sanitizer has reported an error.
require_no_sanitizer_reports() {
    local reports
    mapfile -t reports < <(compgen -G "$STATE/log/sanitizer.*")
    ((${#reports[@]} == 0)) || { say "The sanitizer has reported errors: ${reports[*]}" && return 1; }
    say "The sanitizer has reported nothing."
}

# unmount_chaos_disk: unmounts the small file system of the fault postgres-disk-full, if the suite was interrupted
# before it did so.
unmount_chaos_disk() {
    local folder=$STATE/chaos-disk
    if mountpoint -q "$folder"; then umount -l "$folder"; fi
}

# remove_chaos_data: deletes the data of the stack, and the files of the suite.
remove_chaos_data() {
    remove_own_data
    rm -rf "$STATE"/chaos-*
}

# stop_flood: ends the load generators of the fault overload, which have sessions of their own, and deletes their files,
# which have access tokens. The suite has left them if it was interrupted.
stop_flood() {
    local file
    for file in "$STATE"/chaos-flood/*.pid; do
        if [[ -e $file ]]; then kill -KILL "$(<"$file")" 2>/dev/null || true; fi
    done
    rm -rf "$STATE/chaos-flood" || true
}

# continue_processes: sends SIGCONT to all processes of the stack and their children.
continue_processes() {
    local file name pid
    for file in "$STATE"/run/*.pid; do
        name=$(basename "$file" .pid)
        if is_running "$name"; then
            pid=$(pid_of "$name")
            kill -CONT "$pid" 2>/dev/null || true
            pkill -CONT -P "$pid" 2>/dev/null || true
        fi
    done
}

# print_chaos_help PROGRAM ARGUMENT…: runs PROGRAM with arguments that make it print its options or its faults. Does not
# build PROGRAM, because a build takes minutes.
print_chaos_help() {
    if [[ -x $1 ]]; then
        "$@"
    else
        say "The section Chaos of compose/README.md lists the options and the faults. After the first build, --help" \
            "prints the options and --list the faults."
    fi
}
