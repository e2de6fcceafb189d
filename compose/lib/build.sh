# shellcheck shell=bash
# Builds of the Swift package.

# run_in_group COMMAND…: runs a command in a process group of its own, which end_group ends as a whole. Returns the
# command's status.
run_in_group() {
    setsid env --default-signal=INT,QUIT "$@" </dev/null 7>&- 8>&- 9>&- &
    GROUP=$!
    if [[ -n ${PROGRESS_LOG-} && -t 3 ]]; then show_progress; fi
    wait "$GROUP" || { local code=$? && GROUP='' && return "$code"; }
    GROUP=''
}

end_group() {
    if [[ -n ${GROUP-} ]]; then
        kill -TERM -- "-$GROUP" 2>/dev/null || true
        wait "$GROUP" 2>/dev/null || true
    fi
}

# show_progress: on a terminal, shows the build's counter beside the name of the step.
show_progress() {
    while kill -0 "$GROUP" 2>/dev/null; do
        printf '\r  %-52s %s\e[K' "$STEP" \
            "$(tail -c 400 "$PROGRESS_LOG" | grep -oE '^\[[0-9]+/[0-9]+\]' | tail -n 1)" >&3
        sleep 0.5
    done
    printf '\r  %-52s\e[K' "$STEP" >&3
}

# run_swift_build NAME ARGUMENTS…: `swift build` in the package's folder, with its output in the log NAME.
run_swift_build() {
    local log=$STATE/log/$1.log
    shift
    # Build products are not secret: other users may read them.
    # shellcheck disable=SC2016 # expanded by the inner shell
    PROGRESS_LOG=$log run_in_group bash -c 'umask 022; cd "$1" && shift && exec swift build "$@"' - "$ROOT" "$@" \
        3>&1 >"$log" 2>&1 || {
        grep -E '(error|warning):' "$log" | sort -u | head -n 20 >&2 || true
        print_log_end "$log"
        fail "swift build $* failed; its whole output is in $log"
    }
}

build_release() { run_swift_build build-release -c release; }

# build_debug: programs and tests, with the check that targets import only what Package.swift allows.
build_debug() { run_swift_build build-debug --build-tests --explicit-target-dependency-import-check error; }

# build_test_target NAME: one test target and what it depends on. Package.swift reads the variable, also for the run.
build_test_target() {
    export WARREN_TEST_TARGET=$1
    run_swift_build build-debug --product warrenPackageTests
}
