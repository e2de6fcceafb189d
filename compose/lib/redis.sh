# shellcheck shell=bash
# A private Redis for caches and rate limits. It does not write its data to disk, because a cache restored from an old
# snapshot could show a post that was deleted later.

# redis_conf ADDRESS PORT FOLDER: prints redis.conf.
redis_conf() {
    cat <<CONF
bind $1
port $2
protected-mode yes
requirepass $(secret redis)
dir $3
save ""
appendonly no
daemonize no
maxmemory 268435456
maxmemory-policy volatile-lru
CONF
}

launch_redis() {
    local home=$STATE/redis
    if is_running redis-1; then return; fi
    require_free_port "$REDIS_PORT" WARREN_REDIS_PORT Redis
    set_user_prefix redis
    mkdir -p "$home"
    redis_conf 127.0.0.1 "$REDIS_PORT" "$home" >"$home/redis.conf"
    make_server_folder redis redis
    launch redis-1 "${PREFIX[@]}" redis-server "$home/redis.conf"
}

redis_is_ready() {
    [[ $(REDISCLI_AUTH=$(secret redis) redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping 2>/dev/null) == PONG ]]
}
