# shellcheck shell=bash
# Processes by their pid files, run/NAME.pid. Beside each lies run/NAME.born with the kernel's start
# time of the process: a process that got the same pid later has another one, and is left alone.

born() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The command's name, in parentheses, may hold anything: fields are counted after the last one.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [[ $1 != Z ]] || return 1
    printf '%s' "${20}"
}

pid_of() { cat "$STATE/run/$1.pid" 2>/dev/null; }

alive() {
    local pid
    pid=$(pid_of "$1") && [[ $pid =~ ^[0-9]+$ ]] || return 1
    [[ $(born "$pid") == "$(cat "$STATE/run/$1.born" 2>/dev/null)" ]]
}

# running PREFIX: names of the live processes SERVICE-N of a service, by number.
running() {
    local file name
    for file in "$STATE/run/$1"-*.pid; do
        [[ -f $file ]] || continue
        name=$(basename "$file" .pid)
        if [[ ${name#"$1-"} =~ ^[0-9]+$ ]] && alive "$name"; then printf '%s\n' "$name"; fi
    done | sort -t- -k2 -V
}

declare -A LOG_START=()

# launch NAME COMMAND…: in a session of its own, so that a Ctrl-C meant for this script misses it.
launch() {
    local name=$1 log=$STATE/log/$1.log pid
    shift
    if [[ -f $log && $(stat -c %s "$log") -gt 67108864 ]]; then mv "$log" "$log.1"; fi
    LOG_START[$name]=$(stat -c %s "$log" 2>/dev/null || printf 0)
    # 8 and 9 are locks of this script: a child that held one would hold it for its whole life. The
    # shell has what it starts in the background ignore SIGINT and SIGQUIT: undone.
    setsid env --default-signal=INT,QUIT "$@" </dev/null >>"$log" 2>&1 8>&- 9>&- &
    pid=$!
    # The shell would report its end, which is status's to tell.
    disown "$pid"
    born "$pid" >"$STATE/run/$name.born" || true
    printf '%s\n' "$pid" >"$STATE/run/$name.pid"
}

# said NAME REGEX: whether its log has such a line since it was launched.
said() { tail -c "+$((${LOG_START[$1]} + 1))" "$STATE/log/$1.log" | grep -qE "$2"; }

forget() { rm -f "$STATE/run/$1.pid" "$STATE/run/$1.born"; }

# await NAME SECONDS CHECK…: until the check holds; fails with the log's end where the process ends or
# the time is up.
await() {
    local name=$1 end=$(($(now_ms) + $2 * 1000)) limit=$2
    shift 2
    until "$@"; do
        if ! alive "$name"; then
            tail_of "$STATE/log/$name.log" "${LOG_START[$name]}"
            fail "$name ended while it was starting"
        fi
        if (($(now_ms) > end)); then
            tail_of "$STATE/log/$name.log" "${LOG_START[$name]}"
            fail "$name is not ready after $limit s"
        fi
        sleep 0.1
    done
}

# stop SIGNAL NAME…: asks all of them at once, waits 40 s, then kills with a word: a daemon ends
# by itself within 30 s (Sources/WorkerKit/Process/Daemon.swift).
stop() {
    local signal=$1 name left=() end
    end=$(($(now_ms) + 40000))
    shift
    for name in "$@"; do
        if alive "$name"; then kill "-$signal" "$(pid_of "$name")" 2>/dev/null || true; fi
    done
    while :; do
        left=()
        for name in "$@"; do if alive "$name"; then left+=("$name"); fi; done
        ((${#left[@]} && $(now_ms) < end)) || break
        sleep 0.1
    done
    for name in ${left[@]+"${left[@]}"}; do
        say "$name did not end within 40 s of SIG$signal: killed" >&2
        kill -KILL "$(pid_of "$name")" 2>/dev/null || true
    done
    for name in "$@"; do forget "$name"; done
}

# server_prefix USER: sets PREFIX to what runs a command as that user, where this script runs as root.
# Where the user cannot reach the stack's folder (a checkout under /root), it may pass through; the
# secure bit makes access(2), with which RabbitMQ looks before it opens, agree with open(2).
server_prefix() {
    PREFIX=()
    ((EUID == 0)) || return 0
    PREFIX=(setpriv "--reuid=$1" "--regid=$(id -g "$1")" --init-groups)
    if ! "${PREFIX[@]}" test -x "$STATE" 2>/dev/null; then
        PREFIX+=(--securebits=+no_setuid_fixup --inh-caps=+dac_override --ambient-caps=+dac_override)
    fi
    PREFIX+=(--)
}

# server_folder NAME USER: the server's own folder, readable by nobody else.
server_folder() {
    mkdir -p "$STATE/$1"
    if ((EUID == 0)); then chown -R "$2:$(id -g "$2")" "$STATE/$1"; fi
    chmod 0700 "$STATE/$1"
}

# claim_port PORT VARIABLE WHAT: says clearly that something else listens there.
claim_port() {
    if port_open "$1"; then
        fail "port $1, wanted for $3, is taken by another program: end that, or set $2 to a free port"
    fi
}
