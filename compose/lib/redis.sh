# shellcheck shell=bash
# A private Redis. It holds caches and rate limits, and writes nothing to disk: a cache that came
# back from an old snapshot could show a post that was deleted since.

# redis_conf BIND PORT FOLDER: its configuration.
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

redis_start() {
    local home=$STATE/redis
    if alive redis-1; then return; fi
    claim_port "$REDIS_PORT" WARREN_REDIS_PORT Redis
    server_prefix redis
    mkdir -p "$home"
    redis_conf 127.0.0.1 "$REDIS_PORT" "$home" >"$home/redis.conf"
    server_folder redis redis
    launch redis-1 "${PREFIX[@]}" redis-server "$home/redis.conf"
}

redis_up() {
    [[ $(REDISCLI_AUTH=$(secret redis) redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping 2>/dev/null) == PONG ]]
}

redis_ready() { await redis-1 20 redis_up; }
