# shellcheck shell=bash
# Two private Redis servers. `redis` has the caches of the workers. `limits` has the rate limits of the ingress and the
# failed logins of identity. Clients determine the size of the caches, so on a common server, a client that reads many
# pages could evict the rate limits.
#
# The servers do not write their data to disk, because their data need not survive a restart.

# The server that a service uses.
declare -A REDIS_SERVERS=([ingress]=limits [identity]=limits [post]=redis [media]=redis [search]=redis)

# The patterns of the keys that a service may use, in the syntax of ACL rules. The media service has no cache; it only
# connects.
declare -A REDIS_KEYS=(
    [ingress]="~rate:*"
    [identity]="~identity:*"
    [post]="~post:* ~{post:*"
    [media]=""
    [search]="~search:* ~{search:*"
)

# The commands that a service with keys may use: exactly those that its code and its scripts send.
REDIS_COMMANDS="+auth +ping +select +client|setname +get +set +del +time +eval +evalsha +script|load"

# redis_user SERVICE: prints the line of redis.conf that defines the service's user. A user without keys may only
# connect.
redis_user() {
    local hash commands="+auth +ping +select +client|setname"
    hash=$(printf '%s' "$(secret "redis-$1")" | sha256sum)
    if [[ -n ${REDIS_KEYS[$1]} ]]; then commands=$REDIS_COMMANDS; fi
    # The keys of caches contain the id of the server's process.
    case $1 in post | search) commands+=" +info|server" ;; esac
    printf 'user %s on #%s%s resetchannels -@all %s\n' "$1" "${hash%% *}" "${REDIS_KEYS[$1]:+ ${REDIS_KEYS[$1]}}" \
        "$commands"
}

# redis_conf SERVER ADDRESS PORT FOLDER: prints redis.conf. The password in it is that of the default user, who has all
# rights. Health checks, tests and the operator use it; no daemon does.
redis_conf() {
    local service
    cat <<CONF
bind $2
port $3
protected-mode yes
requirepass $(secret "$1")
dir $4
save ""
appendonly no
daemonize no
CONF
    case $1 in
    redis) printf 'maxmemory %d\nmaxmemory-policy volatile-lru\n' 268435456 ;;
    # If this server is full, it refuses writes instead of evicting keys. Each process then counts by itself.
    limits) printf 'maxmemory %d\nmaxmemory-policy noeviction\n' 67108864 ;;
    esac
    for service in ingress "${SERVICES[@]}"; do
        if [[ ${REDIS_SERVERS[$service]} == "$1" ]]; then redis_user "$service"; fi
    done
}

# launch_redis_server SERVER PORT VARIABLE: starts the server if it does not run. If its configuration has changed, for
# example because this version has other users, restarts it.
launch_redis_server() {
    local home=$STATE/$1 conf
    conf=$(redis_conf "$1" 127.0.0.1 "$2" "$home")
    if is_running "$1-1"; then
        if [[ $conf == "$(cat "$home/redis.conf")" ]]; then return; fi
        stop_processes TERM "$1-1"
    fi
    require_free_port "$2" "$3" "the Redis server $1"
    set_user_prefix redis
    mkdir -p "$home"
    printf '%s\n' "$conf" >"$home/redis.conf"
    make_server_folder "$1" redis
    launch "$1-1" "${PREFIX[@]}" redis-server "$home/redis.conf"
}

launch_redis() { launch_redis_server redis "$REDIS_PORT" WARREN_REDIS_PORT; }

launch_limits() { launch_redis_server limits "$LIMITS_PORT" WARREN_LIMITS_PORT; }

# redis_is_ready SERVER PORT
redis_is_ready() {
    [[ $(REDISCLI_AUTH=$(secret "$1") redis-cli -h 127.0.0.1 -p "$2" ping 2>/dev/null) == PONG ]]
}
