# shellcheck shell=bash
# Output for the operator: one line per step, with the step's duration. Errors go to standard error.

# The program's name in error messages.
SELF=${SELF:-compose/local}

say() { printf '%s\n' "$*"; }

warn() { printf '\n%s: %s\n' "$SELF" "$*" >&2; }

fail() {
    warn "$@"
    exit 1
}

# now_ms: prints the time in milliseconds since 1970.
now_ms() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# seconds_since MILLISECONDS: prints the seconds that have passed since a time of now_ms, such as "1.2".
seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# run_step TEXT COMMAND…: prints TEXT, runs the command in this shell, and prints its duration. The command must write
# its own output to a log, and call `fail` if it cannot continue.
run_step() {
    local start
    STEP=$1
    shift
    start=$(now_ms)
    printf '  %-52s' "$STEP"
    "$@"
    printf '%7s s\n' "$(seconds_since "$start")"
}

# wait_until SECONDS COMMAND…: repeats the command until it succeeds. Returns 1 after the time limit.
wait_until() {
    local end=$(($(now_ms) + $1 * 1000))
    shift
    until "$@"; do
        (($(now_ms) < end)) || return 1
        sleep 0.1
    done
}

# print_log_end LOG [OFFSET]: prints the last lines of a log to standard error, but only lines after the byte OFFSET.
print_log_end() {
    local lines offset=${2:-0}
    [[ -f $1 ]] || return 0
    # A log that is shorter than OFFSET was truncated by rotate_logs.sh, so all its lines are after OFFSET.
    if (($(stat -c %s "$1") < offset)); then offset=0; fi
    lines=$(tail -c "+$((offset + 1))" "$1" | tail -n 20)
    if [[ -n $lines ]]; then
        printf '\nThe last lines of %s:\n%s\n' "$1" "$lines" | sed '3,$s/^/    /' >&2
    else
        printf '\n%s has no new lines.\n' "$1" >&2
    fi
}
