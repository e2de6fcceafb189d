# shellcheck shell=bash
# The stack's processes and their logs.

# address_of NAME: prints the address on which a process listens, or `-`.
address_of() {
    case $1 in
    ingress-1) printf '127.0.0.1:%s' "$HTTP_PORT" ;;
    cloudinary-local-1) printf '127.0.0.1:%s' "$CLOUDINARY_PORT" ;;
    rabbitmq-*) broker_address "${1#rabbitmq-}" ;;
    postgres-1) printf '127.0.0.1:%s' "$POSTGRES_PORT" ;;
    redis-1) printf '127.0.0.1:%s' "$REDIS_PORT" ;;
    limits-1) printf '127.0.0.1:%s' "$LIMITS_PORT" ;;
    epmd-1) printf '127.0.0.1:%s' "$EPMD_PORT" ;;
    *) printf -- '-' ;;
    esac
}

# file_age FILE: prints the time since the file was last changed, such as "5m02s".
file_age() {
    local s=$(($(date +%s) - $(stat -c %Y "$1")))
    if ((s < 3600)); then
        printf '%dm%02ds' $((s / 60)) $((s % 60))
    else
        printf '%dh%02dm' $((s / 3600)) $((s / 60 % 60))
    fi
}

print_status() {
    local file name pid memory row='%-20s %-8s %8s %9s %9s  %s\n'
    load_settings || { say "This stack was never started: run compose/local up" && return; }
    # shellcheck disable=SC2059 # the format of every row
    printf "$row" NAME STATE PID MEMORY AGE ADDRESS
    for file in "$STATE"/run/*.pid; do
        [[ -f $file ]] || continue
        name=$(basename "$file" .pid)
        pid=$(pid_of "$name")
        # shellcheck disable=SC2059
        if is_running "$name"; then
            memory=$(awk '/^VmRSS/ { printf "%.1f MB", $2 / 1024 }' "/proc/$pid/status")
            printf "$row" "$name" running "$pid" "$memory" "$(file_age "$file")" "$(address_of "$name")"
        else
            printf "$row" "$name" exited "$pid" - - -
        fi
    done | sort
}

print_logs() {
    local follow=() service='' word files
    for word in "$@"; do
        if [[ $word == -f ]]; then follow=(-F); else service=$word; fi
    done
    [[ $service =~ ^[a-z-]+[0-9]*$ ]] || fail "usage: compose/local logs SERVICE [-f]"
    files=("$STATE/log/$service"-[0-9]*.log)
    if [[ ! -f ${files[0]} ]]; then files=("$STATE/log/$service.log"); fi
    [[ -f ${files[0]} ]] || fail "there is no log of $service in $STATE/log"
    tail -n 200 ${follow[@]+"${follow[@]}"} "${files[@]}"
}
