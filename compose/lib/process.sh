# shellcheck shell=bash
# Processes and their files in run/: NAME.pid, NAME.born (the process's start time according to the kernel, which tells
# it from a later process with the same pid) and, for a worker, NAME.health.

# start_time PID: the process's start time in clock ticks since boot (proc(5)); returns 1 if it has exited.
start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The command's name, in parentheses, may contain anything: fields are counted after the last parenthesis.
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

# running_processes SERVICE: the names SERVICE-N of its live processes, by number.
running_processes() {
    local file name
    for file in "$STATE/run/$1"-*.pid; do
        [[ -f $file ]] || continue
        name=$(basename "$file" .pid)
        if [[ ${name#"$1-"} =~ ^[0-9]+$ ]] && is_running "$name"; then printf '%s\n' "$name"; fi
    done | sort -t- -k2 -V
}

# The size of each log before this script started its process.
declare -A LOG_START=()

# launch NAME COMMAND…: starts a process in a session of its own, so that Ctrl-C in this script does not reach it.
launch() {
    local name=$1 log=$STATE/log/$1.log pid
    shift
    if [[ -f $log && $(stat -c %s "$log") -gt 67108864 ]]; then mv "$log" "$log.1"; fi
    LOG_START[$name]=$(stat -c %s "$log" 2>/dev/null || printf 0)
    # A killed process leaves its health file behind, which would count as the new one's.
    remove_process_files "$name"
    # Descriptors 7 to 9 are locks of this script, which a child would hold for its whole life. The shell starts
    # background processes with SIGINT and SIGQUIT ignored; env restores the default.
    setsid env --default-signal=INT,QUIT "$@" </dev/null >>"$log" 2>&1 7>&- 8>&- 9>&- &
    pid=$!
    # Without a job table entry the shell does not report the process's end.
    disown "$pid"
    start_time "$pid" >"$STATE/run/$name.born" || true
    printf '%s\n' "$pid" >"$STATE/run/$name.pid"
}

remove_process_files() { rm -f "$STATE/run/$1".{pid,born,health}; }

remove_all_process_files() { rm -f "$STATE"/run/*.{pid,born,health}; }

# wait_until_ready SECONDS CHECK NAME…: waits until `CHECK NAME` succeeds for each of these processes. Fails with the
# end of the log as soon as one of them exits, or when the time limit passes.
wait_until_ready() {
    local limit=$1 check=$2
    STARTING=("${@:3}")
    wait_until "$limit" all_ready "$check" || fail_start "${STARTING[0]}" "is not ready after $limit s"
}

# all_ready CHECK: removes the processes that are ready from STARTING; succeeds if none is left.
all_ready() {
    local name left=()
    for name in ${STARTING[@]+"${STARTING[@]}"}; do
        # A check may reach another process, for example one on the same port: it counts for live processes only.
        if "$1" "$name" && is_running "$name"; then continue; fi
        is_running "$name" || fail_start "$name" "exited during its start"
        left+=("$name")
    done
    STARTING=(${left[@]+"${left[@]}"})
    ((${#STARTING[@]} == 0))
}

# fail_start NAME TEXT: fails with the log lines of a process that did not start.
fail_start() {
    print_log_end "$STATE/log/$1.log" "${LOG_START[$1]-}"
    fail "$1 $2"
}

# stop_processes SIGNAL NAME…: signals all of them, waits 40 s, then kills the rest and says so. A daemon stops within
# 30 s by itself (Sources/WorkerKit/Process/Daemon.swift).
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

# set_user_prefix USER: sets PREFIX to the command that runs another one as that user, if this script runs as root.
# If the user cannot reach the stack's folder, as in a checkout under /root, the server gets the capability to pass
# through. The secure bit makes access(2), which RabbitMQ calls before it opens a file, agree with open(2).
set_user_prefix() {
    PREFIX=()
    ((EUID == 0)) || return 0
    PREFIX=(setpriv "--reuid=$1" "--regid=$(id -g "$1")" --init-groups)
    if ! "${PREFIX[@]}" test -x "$STATE" 2>/dev/null; then
        PREFIX+=(--securebits=+no_setuid_fixup --inh-caps=+dac_override --ambient-caps=+dac_override)
    fi
    PREFIX+=(--)
}

# make_server_folder NAME USER: the server's own folder, which only its user can read.
make_server_folder() {
    mkdir -p "$STATE/$1"
    if ((EUID == 0)); then chown -R "$2:$(id -g "$2")" "$STATE/$1"; fi
    chmod 0700 "$STATE/$1"
}

# require_free_port PORT VARIABLE OWNER: fails if another program listens on the port.
require_free_port() {
    if port_is_open "$1"; then
        fail "port $1 for $3 is in use by another program: stop that program, or set $2 to a free port"
    fi
}
