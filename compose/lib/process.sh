# shellcheck shell=bash
# Processes and their files in run/: NAME.pid; NAME.born, which has the process's start time, to distinguish it from a
# later process with the same pid; and NAME.health, the health file of a worker.

# start_time PID: prints the process's start time in clock ticks since boot (proc(5)). Returns 1 if it has exited.
start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The second field is the program's name in parentheses, which can contain spaces and parentheses. The fields after
    # the last parenthesis are used.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [[ $1 != Z ]] || return 1
    printf '%s' "${20}"
}

pid_of() { cat "$STATE/run/$1.pid" 2>/dev/null; }

health_file() { printf '%s/run/%s.health' "$STATE" "$1"; }

is_running() {
    local pid started
    pid=$(pid_of "$1") && [[ $pid =~ ^[0-9]+$ ]] && started=$(start_time "$pid") || return 1
    [[ $started == "$(cat "$STATE/run/$1.born" 2>/dev/null)" ]]
}

any_running() {
    local file
    for file in "$STATE"/run/*.pid; do
        if [[ -f $file ]] && is_running "$(basename "$file" .pid)"; then return 0; fi
    done
    return 1
}

# running_processes SERVICE: prints the names SERVICE-N of the service's running processes, sorted by number.
running_processes() {
    local file name
    for file in "$STATE/run/$1"-*.pid; do
        [[ -f $file ]] || continue
        name=$(basename "$file" .pid)
        if [[ ${name#"$1-"} =~ ^[0-9]+$ ]] && is_running "$name"; then printf '%s\n' "$name"; fi
    done | sort -t- -k2 -V
}

# The size of each log, in bytes, before this script started its process.
declare -A LOG_START=()

# launch NAME COMMAND…: starts a process in a session of its own, so that Ctrl-C ends this script but not the process.
launch() {
    local name=$1 log=$STATE/log/$1.log pid
    shift
    LOG_START[$name]=$(stat -c %s "$log" 2>/dev/null || printf 0)
    # A killed process leaves its health file behind, which would be taken for the new process's.
    remove_process_files "$name"
    # Descriptors 7 to 9 hold this script's locks. A child that inherited them would keep the locks until it exits. The
    # shell starts background processes with SIGINT and SIGQUIT ignored; env restores the default.
    #
    # `>>` opens the log with O_APPEND, because rotate_logs.sh truncates the log while the process writes to it.
    setsid env --default-signal=INT,QUIT "$@" </dev/null >>"$log" 2>&1 7>&- 8>&- 9>&- &
    pid=$!
    # The shell would report the end of a process that is in its job table.
    disown "$pid"
    start_time "$pid" >"$STATE/run/$name.born" || true
    printf '%s\n' "$pid" >"$STATE/run/$name.pid"
}

# launch_log_rotation: starts the process that limits the size of the logs, if it does not run.
launch_log_rotation() {
    if is_running log-rotation-1; then return; fi
    launch log-rotation-1 bash "$ROOT/compose/lib/rotate_logs.sh" "$STATE/log"
}

remove_process_files() { rm -f "$STATE/run/$1".{pid,born,health}; }

remove_all_process_files() { rm -f "$STATE"/run/*.{pid,born,health}; }

# wait_until_ready SECONDS CHECK NAME…: waits until `CHECK NAME` succeeds for each of these processes. If one of them
# exits, or is not ready within the time limit, fails and prints the end of its log.
wait_until_ready() {
    local limit=$1 check=$2
    STARTING=("${@:3}")
    wait_until "$limit" all_ready "$check" || fail_start "${STARTING[0]}" "is not ready after $limit s"
}

# all_ready CHECK: removes the processes that are ready from STARTING. Succeeds if STARTING is then empty.
all_ready() {
    local name left=()
    for name in ${STARTING[@]+"${STARTING[@]}"}; do
        # A check may reach another process, for example one on the same port. A check that succeeds therefore counts
        # only if this process still runs.
        if "$1" "$name" && is_running "$name"; then continue; fi
        is_running "$name" || fail_start "$name" "exited during its start"
        left+=("$name")
    done
    STARTING=(${left[@]+"${left[@]}"})
    ((${#STARTING[@]} == 0))
}

# fail_start NAME TEXT: prints the log lines of a process that did not start, and fails.
fail_start() {
    print_log_end "$STATE/log/$1.log" "${LOG_START[$1]-}"
    fail "$1 $2"
}

# stop_processes SIGNAL NAME…: sends the signal to all of these processes, and waits up to 40 s until they have stopped.
# Reports and kills those that still run. A daemon stops within 30 s (Sources/WorkerKit/Process/Daemon.swift).
stop_processes() {
    local signal=$1 name
    shift
    for name in "$@"; do
        if is_running "$name"; then kill "-$signal" "$(pid_of "$name")" 2>/dev/null || true; fi
    done
    wait_until 40 none_running "$@" || true
    for name in "$@"; do
        if is_running "$name"; then
            say "$name did not stop within 40 s of SIG$signal and was killed" >&2
            kill -KILL "$(pid_of "$name")" 2>/dev/null || true
        fi
        remove_process_files "$name"
    done
}

none_running() {
    local name
    for name in "$@"; do if is_running "$name"; then return 1; fi; done
}

# set_user_prefix USER: sets PREFIX to the words that, put before a command, run it as that user. PREFIX is empty if
# this script does not run as root.
#
# If the user cannot reach the stack's folder, for example because the checkout is below /root, the server gets
# CAP_DAC_OVERRIDE, with which the kernel does not check the permissions of files and folders. access(2) ignores this
# capability unless the secure bit is set, and RabbitMQ calls access(2) before it opens a file.
set_user_prefix() {
    PREFIX=()
    ((EUID == 0)) || return 0
    PREFIX=(setpriv "--reuid=$1" "--regid=$(id -g "$1")" --init-groups)
    if ! "${PREFIX[@]}" test -x "$STATE" 2>/dev/null; then
        PREFIX+=(--securebits=+no_setuid_fixup --inh-caps=+dac_override --ambient-caps=+dac_override)
    fi
    PREFIX+=(--)
}

# make_server_folder NAME USER: makes the folder of a server, which only the server's user can read.
make_server_folder() {
    mkdir -p "$STATE/$1"
    if ((EUID == 0)); then chown -R "$2:$(id -g "$2")" "$STATE/$1"; fi
    chmod 0700 "$STATE/$1"
}

# require_free_port PORT VARIABLE OWNER: fails if a program listens on the port. VARIABLE is the environment variable
# that changes the port, and OWNER the process that needs it.
require_free_port() {
    if port_is_open "$1"; then
        fail "port $1 for $3 is in use by another program: stop that program, or set $2 to a free port"
    fi
}
