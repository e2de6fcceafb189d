# shellcheck shell=bash
# Secrets: made where they are first needed, one file each, mode 0600, in no file of the repository.

# Where the servers are: on this machine, save for the set-up of containers, which names theirs.
declare -A HOSTS=([amqp]=127.0.0.1 [postgres]=127.0.0.1 [redis]=127.0.0.1 [cloudinary]=127.0.0.1)

# secret NAME: prints the secret of that name; makes it at its first use.
secret() {
    local file=$STATE/secrets/$1
    [[ -s $file ]] || (umask 077 && openssl rand -hex 24 >"$file.new" && mv "$file.new" "$file")
    cat "$file"
}

# keep FILE: standard input into a secret file.
keep() { (umask 077 && cat >"$STATE/secrets/$1"); }

amqp_url() {
    printf 'amqp://%s:%s@%s:%s/%s' "$1" "$(secret "amqp-$1")" "${HOSTS[amqp]}" "$AMQP_PORT" "${2:-warren}"
}

database_url() {
    printf 'postgresql://%s:%s@%s:%s/%s' "$1" "$(secret "postgres-$1")" "${HOSTS[postgres]}" "$POSTGRES_PORT" "$1"
}

redis_url() { printf 'redis://:%s@%s:%s/%s' "$(secret redis)" "${HOSTS[redis]}" "$REDIS_PORT" "$1"; }

cloudinary_url() {
    printf 'cloudinary://local:%s@warren?upload_prefix=http://%s:%s' "$(secret cloudinary)" "${HOSTS[cloudinary]}" \
        "$CLOUDINARY_PORT"
}
