# shellcheck shell=bash
# Builds of the Swift package.

# run_in_group COMMAND…: runs a command in a process group of its own, so that end_group can also end the processes that
# the command has started. Returns the command's exit status.
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

# show_progress: until the build ends, prints its progress and the time so far after the name of the step.
show_progress() {
    local start columns
    start=$(now_ms)
    while kill -0 "$GROUP" 2>/dev/null; do
        # tput asks the terminal at its standard error. The user can change the width of the terminal at any time.
        columns=$(tput cols 2>&3) || columns=80
        printf '\r%s\e[K' "$(progress_line "$columns" "$PROGRESS_LOG" "$(seconds_since "$start")")" >&3
        sleep 0.5
    done
    printf '\r  %-52s\e[K' "$STEP" >&3
}

# progress_line COLUMNS LOG SECONDS: prints the name of the step and the progress of the build, cut to one column less
# than the terminal has. A line that wraps would leave its first part behind, because \r returns to its last part.
progress_line() {
    local line
    line=$(printf '  %-40s %s' "$STEP" "$(build_progress "$2" "$3")")
    printf '%s' "${line:0:$(($1 > 1 ? $1 - 1 : 0))}"
}

# build_progress LOG SECONDS: prints the number of the build's current step, the number of all steps, the time so far,
# and the module that is compiled, such as "12 of 345, 1:05 min, NIOCore".
build_progress() {
    local line seconds=${2%.*}
    line=$(tail -c 4000 "$1" 2>/dev/null | tr '\r' '\n' | grep -E '^\[[0-9]+/[0-9]+\] ' | tail -n 1) || true
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (.*)$ ]]; then
        printf '%s of %s, ' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
        line=${BASH_REMATCH[3]}
    fi
    printf '%d:%02d min' $((seconds / 60)) $((seconds % 60))
    if [[ $line =~ ^(Compiling|Emitting\ module)\ ([^ ]+) ]]; then printf ', %s' "${BASH_REMATCH[2]}"; fi
}

# run_swift_build NAME ARGUMENTS…: runs `swift build` in the package's folder and writes its output to log/NAME.log.
run_swift_build() {
    local log=$STATE/log/$1.log
    shift
    # Other users may read build products, because they contain no secrets.
    # shellcheck disable=SC2016 # expanded by the inner shell
    PROGRESS_LOG=$log run_in_group bash -c 'umask 022; cd "$1" && shift && exec swift build "$@"' - "$ROOT" "$@" \
        3>&1 >"$log" 2>&1 || {
        grep -E '(error|warning):' "$log" | sort -u | head -n 20 >&2 || true
        print_log_end "$log"
        fail "swift build $* failed; its whole output is in $log"
    }
}

# build_release: links Swift's libraries statically, because calls into them are then faster.
build_release() { run_swift_build build-release -c release --static-swift-stdlib; }

# build_stack: builds only the programs that a stack runs.
build_stack() { WARREN_PROGRAMS=stack build_release; }

# build_with_sanitizer: builds the programs with the compiler's address sanitizer, in .build/address-sanitizer. It does
# not work with Swift's static libraries.
build_with_sanitizer() {
    run_swift_build build-sanitizer -c release --sanitize address --scratch-path "$ROOT/.build/address-sanitizer"
}

# build_debug: builds programs and tests, and checks that each target imports only its dependencies in Package.swift.
build_debug() { run_swift_build build-debug --build-tests --explicit-target-dependency-import-check error; }

# build_test_target NAME: builds one test target and its dependencies. Package.swift reads the variable, which stays
# exported because the test runner reads Package.swift too.
build_test_target() {
    export WARREN_TEST_TARGET=$1
    run_swift_build build-debug --product warrenPackageTests
}
