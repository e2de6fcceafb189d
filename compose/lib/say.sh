# shellcheck shell=bash
# What the operator sees: one line per step with the time it took, errors on standard error.

# The name by which it was called.
SELF=${SELF:-compose/local}

say() { printf '%s\n' "$*"; }

fail() {
    printf '\n%s: %s\n' "$SELF" "$*" >&2
    exit 1
}

now_ms() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# seconds_since MILLISECONDS: the time gone by since then, as "1.2".
seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# step TEXT COMMAND…: runs the command in this shell and says how long it took. The command's own
# words go nowhere: it writes them to a log and calls `fail` where it cannot go on.
step() {
    local start
    STEP=$1
    shift
    start=$(now_ms)
    printf '  %-52s' "$STEP"
    "$@"
    printf '%7s s\n' "$(seconds_since "$start")"
}

# tail_of LOG [OFFSET]: the last lines of a log, from a byte on, indented, on standard error.
tail_of() {
    [[ -f $1 ]] || return 0
    printf '\nThe end of %s:\n' "$1" >&2
    tail -c "+$((${2:-0} + 1))" "$1" | tail -n 20 | sed 's/^/    /' >&2
}
