# shellcheck shell=bash
# Passwords and keys. Each is generated when it is first used, and stored in a file of its own with mode 0600. The
# repository contains none.

# The servers' host names. The set-up of the containers replaces them by the containers' names.
declare -A HOSTS=(
    [amqp]=127.0.0.1 [amqp_2]=127.0.0.1 [amqp_3]=127.0.0.1 [postgres]=127.0.0.1 [redis]=127.0.0.1 [limits]=127.0.0.1
    [cloudinary]=127.0.0.1
)

# secret NAME: prints the secret of that name, and generates it if it does not exist.
secret() {
    local file=$STATE/secrets/$1
    [[ -s $file ]] || (umask 077 && openssl rand -hex 24 >"$file.new" && mv "$file.new" "$file")
    cat "$file"
}

# write_secret NAME: stores standard input as a secret file.
write_secret() { (umask 077 && cat >"$STATE/secrets/$1"); }

# make_token_keys PROGRAM: makes the key pair for access tokens if it does not exist. PROGRAM is the `warren` command.
make_token_keys() {
    local keys=$STATE/keys log=$STATE/log/keys.log
    if [[ -s $keys/signing-key.pem && -s $keys/jwks.json ]]; then return; fi
    mkdir -p "$keys" "$STATE/log"
    "$1" keys new "$keys" >"$log" 2>&1 || {
        print_log_end "$log"
        fail "cannot make the keys for access tokens in $keys"
    }
}

# amqp_url USER [VIRTUAL-HOST [NUMBER]]: prints the address of one broker, by default the first, with the user's
# password. Every AMQP library understands this address.
amqp_url() {
    printf 'amqp://%s:%s@%s/%s' "$1" "$(secret "amqp-$1")" "$(broker_address "${3:-1}")" "${2:-warren}"
}

# daemon_amqp_url USER: prints the address with which a daemon connects. In a cluster, it has all brokers.
daemon_amqp_url() {
    local number addresses
    if ((BROKERS == 1)); then
        amqp_url "$1"
        return
    fi
    addresses=$(for number in $(seq "$BROKERS"); do broker_address "$number" && printf ,; done)
    # A daemon leaves a silent broker after two heartbeat intervals. With the default of 15 s, writes would stop for
    # half a minute.
    printf 'amqp://%s:%s@%s/warren?heartbeat=3' "$1" "$(secret "amqp-$1")" "${addresses%,}"
}

# broker_address NUMBER: prints the host and port of a broker.
broker_address() { printf '%s:%s' "${HOSTS[$(broker_variable amqp "$1")]}" "$(broker_port AMQP_PORT "$1")"; }

# broker_port VARIABLE NUMBER: prints the AMQP_PORT or DIST_PORT of a broker.
broker_port() {
    local name
    name=$(broker_variable "$1" "$2")
    printf '%s' "${!name}"
}

# broker_variable NAME NUMBER: prints the name of a variable of a broker: NAME, NAME_2 or NAME_3.
broker_variable() { if (($2 == 1)); then printf '%s' "$1"; else printf '%s_%s' "$1" "$2"; fi; }

# database_url NAME: prints the address of a database, with the password of the role with the same name.
database_url() {
    printf 'postgresql://%s:%s@%s:%s/%s' "$1" "$(secret "postgres-$1")" "${HOSTS[postgres]}" "$POSTGRES_PORT" "$1"
}

# redis_url SERVER NUMBER: prints the address of a database of the Redis server `redis` or `limits`, with the password
# of the default user.
redis_url() { printf 'redis://:%s@%s/%s' "$(secret "$1")" "$(redis_address "$1")" "$2"; }

# redis_user_url SERVICE: prints the address of the service's Redis server, with the service's user and password.
redis_user_url() {
    printf 'redis://%s:%s@%s/0' "$1" "$(secret "redis-$1")" "$(redis_address "${REDIS_SERVERS[$1]}")"
}

# redis_address SERVER: prints the host and port of a Redis server.
redis_address() {
    local port=${1^^}_PORT
    printf '%s:%s' "${HOSTS[$1]}" "${!port}"
}

cloudinary_url() {
    printf 'cloudinary://local:%s@warren?upload_prefix=http://%s:%s' "$(secret cloudinary)" "${HOSTS[cloudinary]}" \
        "$CLOUDINARY_PORT"
}
