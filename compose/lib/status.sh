# shellcheck shell=bash
# What runs, and what it said.

listens() {
    case $1 in
    ingress-1) printf '127.0.0.1:%s' "$HTTP_PORT" ;;
    cloudinary-local-1) printf '127.0.0.1:%s' "$CLOUDINARY_PORT" ;;
    rabbitmq-1) printf '127.0.0.1:%s' "$AMQP_PORT" ;;
    postgres-1) printf '127.0.0.1:%s' "$POSTGRES_PORT" ;;
    redis-1) printf '127.0.0.1:%s' "$REDIS_PORT" ;;
    epmd-1) printf '127.0.0.1:%s' "$EPMD_PORT" ;;
    *) printf -- '-' ;;
    esac
}

age() {
    local s=$(($(date +%s) - $(stat -c %Y "$1")))
    if ((s < 3600)); then
        printf '%dm%02ds' $((s / 60)) $((s % 60))
    else
        printf '%dh%02dm' $((s / 3600)) $((s / 60 % 60))
    fi
}

status() {
    local file name pid memory
    load_settings || { say "Nothing was started here yet: compose/local up" && return; }
    printf '%-20s %-8s %8s %9s %9s  %s\n' NAME STATE PID MEMORY SINCE LISTENS
    for file in "$STATE"/run/*.pid; do
        [[ -f $file ]] || continue
        name=$(basename "$file" .pid)
        pid=$(pid_of "$name")
        if alive "$name"; then
            memory=$(awk '/^VmRSS/ { printf "%.1f MB", $2 / 1024 }' "/proc/$pid/status")
            printf '%-20s %-8s %8s %9s %9s  %s\n' "$name" runs "$pid" "$memory" "$(age "$file")" "$(listens "$name")"
        else
            printf '%-20s %-8s %8s %9s %9s  %s\n' "$name" ended "$pid" - - -
        fi
    done | sort
}

logs() {
    local follow=() service='' word files
    for word in "$@"; do
        if [[ $word == -f ]]; then follow=(-F); else service=$word; fi
    done
    [[ $service =~ ^[a-z-]+$ ]] || fail "usage: compose/local logs SERVICE [-f]"
    files=("$STATE/log/$service"-[0-9]*.log)
    if [[ ! -f ${files[0]} ]]; then files=("$STATE/log/$service.log"); fi
    [[ -f ${files[0]} ]] || fail "no log of $service in $STATE/log"
    tail -n 200 "${follow[@]}" "${files[@]}"
}
