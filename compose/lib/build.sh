# shellcheck shell=bash
# Building and checking the Swift package.

# supervised COMMAND…: runs it in a process group of its own, so that it can be ended as a whole.
supervised() {
    setsid env --default-signal=INT,QUIT "$@" </dev/null 8>&- 9>&- &
    CHILD=$!
    if [[ -n ${PROGRESS-} && -t 3 ]]; then show_progress; fi
    wait "$CHILD" || { local code=$? && CHILD='' && return "$code"; }
    CHILD=''
}

# show_progress: the build's own counter behind the step, on a terminal.
show_progress() {
    while kill -0 "$CHILD" 2>/dev/null; do
        printf '\r  %-52s %s\e[K' "$STEP" "$(tail -c 400 "$PROGRESS" | grep -oE '^\[[0-9]+/[0-9]+\]' | tail -n 1)" >&3
        sleep 0.5
    done
    printf '\r  %-52s\e[K' "$STEP" >&3
}

end_supervised() {
    if [[ -n ${CHILD-} ]]; then
        kill -TERM -- "-$CHILD" 2>/dev/null || true
        wait "$CHILD" 2>/dev/null || true
    fi
}

# swift_step LOG ARGUMENTS…: one run of `swift`, in the package's folder, its words in a log.
swift_step() {
    local log=$STATE/log/$1.log
    shift
    # Build products are nobody's secret.
    # shellcheck disable=SC2016 # for the inner shell
    PROGRESS=$log supervised bash -c 'umask 022; cd "$1" && shift && exec swift "$@"' - "$ROOT" "$@" \
        3>&1 >"$log" 2>&1 || {
        grep -E '(error|warning):' "$log" | sort -u | head -n 20 >&2 || true
        tail_of "$log"
        fail "swift $* failed; all of it is in $log"
    }
}

lint() { swift_step lint format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests; }

check_scripts() {
    local log=$STATE/log/shellcheck.log
    (cd "$ROOT/compose" && shellcheck -x local setup healthy && shellcheck lib/*.sh) >"$log" 2>&1 || {
        tail_of "$log"
        fail "shellcheck found faults; all of them are in $log"
    }
}

build_release() { swift_step build-release build -c release; }

build_tests() { swift_step build-debug build --build-tests --explicit-target-dependency-import-check error; }
