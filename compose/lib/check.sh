# shellcheck shell=bash
# The checks that need neither a build nor a server.

run_checks() {
    local faulty=no
    run_check "Format (swift format lint --strict)" check_format || faulty=yes
    run_check "Imports (dependencies in Package.swift)" check_imports || faulty=yes
    run_check "Scripts (shellcheck -x)" check_scripts || faulty=yes
    run_check "Lines, links and file names" check_text || faulty=yes
    [[ $faulty == no ]] || fail "the checks found faults; they are listed above"
}

# run_check TEXT COMMAND…: runs a command as a step. If the command fails, prints its output and returns 1.
run_check() {
    run_step "$1" capture_output "${@:2}"
    if ((STATUS == 0)); then return; fi
    printf '%s\n' "$OUTPUT" >&2
    return 1
}

# capture_output COMMAND…: runs a command, and sets OUTPUT to its output and STATUS to its exit status.
capture_output() {
    STATUS=0
    OUTPUT=$("$@" 2>&1) || STATUS=$?
}

check_format() {
    cd "$ROOT" || return
    swift format lint --strict --parallel --recursive --configuration .swift-format Package.swift Sources Tests
}

check_imports() {
    cd "$ROOT" || return
    swift package dump-package | python3 compose/lib/check_imports.py .
}

check_scripts() {
    local scripts
    cd "$ROOT" || return
    mapfile -t scripts < <(find .ci compose Tests -type f -exec \
        awk 'FNR == 1 && /^#!.*(bash|\/sh)$|^# shellcheck shell=/ { print FILENAME }' {} +)
    shellcheck -x -f gcc "${scripts[@]}"
}

check_text() { python3 "$ROOT/compose/lib/check_text.py" "$ROOT"; }
