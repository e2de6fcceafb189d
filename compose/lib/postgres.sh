# shellcheck shell=bash
# A private PostgreSQL: a role and a database per service. A role opens the database of its own name
# and no other: pg_hba.conf says so, and so do the databases' privileges.

postgres_bin() {
    local version
    version=$(cat "$STATE/postgres/data/PG_VERSION" 2>/dev/null) ||
        version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V | tail -n 1)
    printf '/usr/lib/postgresql/%s/bin' "$version"
}

# postgres_hba ADDRESSES: who may connect from there to what (pg_hba.conf).
postgres_hba() {
    printf 'host  %-8s  %-8s  %s  scram-sha-256\n' all postgres "$1" sameuser all "$1"
}

postgres_init() {
    local home=$STATE/postgres
    mkdir -p "$home"
    if [[ -s $home/data/PG_VERSION ]]; then
        server_folder postgres postgres
        return
    fi
    # A first start that was cut short leaves a folder that is of no use.
    rm -rf "$home/data" "$home/new"
    secret postgres-postgres >"$home/password"
    server_folder postgres postgres
    "${PREFIX[@]}" "$(postgres_bin)/initdb" -D "$home/new" --username=postgres --pwfile="$home/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$STATE/log/initdb.log" 2>&1 || {
        tail_of "$STATE/log/initdb.log"
        fail "PostgreSQL's data folder could not be made"
    }
    rm -f "$home/password"
    mv "$home/new" "$home/data"
}

postgres_start() {
    local home=$STATE/postgres
    if alive postgres-1; then return; fi
    claim_port "$POSTGRES_PORT" WARREN_POSTGRES_PORT PostgreSQL
    server_prefix postgres
    postgres_init
    postgres_hba 127.0.0.1/32 >"$home/data/pg_hba.conf"
    # The tests' role makes databases, whose names begin with its own.
    if [[ $(postgres_bin) =~ /(1[6-9]|[2-9][0-9])/ ]]; then
        printf 'host  /^scratch  scratch  127.0.0.1/32  scram-sha-256\n' >>"$home/data/pg_hba.conf"
    else
        printf 'host  all  scratch  127.0.0.1/32  scram-sha-256\n' >>"$home/data/pg_hba.conf"
    fi
    launch postgres-1 "${PREFIX[@]}" "$(postgres_bin)/postgres" -D "$home/data" -p "$POSTGRES_PORT" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 \
        -c password_encryption=scram-sha-256 -c timezone=UTC -c log_timezone=UTC
}

postgres_sql() {
    PGPASSWORD=$(secret postgres-postgres) PGCONNECT_TIMEOUT=5 psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 \
        -p "$POSTGRES_PORT" -U postgres -d postgres "$@"
}

postgres_up() { postgres_sql -c 'SELECT 1' >/dev/null 2>&1; }

postgres_role() {
    cat <<SQL
\\set password '$(secret "postgres-$1")'
SELECT 'CREATE ROLE "$1" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$1') \\gexec
ALTER ROLE "$1" WITH LOGIN NOSUPERUSER NOCREATEROLE ${2:-NOCREATEDB} PASSWORD :'password';
SELECT 'CREATE DATABASE "$1" OWNER "$1"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$1') \\gexec
REVOKE ALL ON DATABASE "$1" FROM PUBLIC;
SQL
}

# The services' roles and databases; run again, it sets their passwords anew.
postgres_roles() {
    local name
    printf 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;\n'
    for name in "${SERVICES[@]}"; do postgres_role "$name"; done
}

postgres_ready() {
    await postgres-1 120 postgres_up
    {
        postgres_roles
        postgres_role scratch CREATEDB
    } | postgres_sql >"$STATE/log/roles.log" 2>&1 || {
        tail_of "$STATE/log/roles.log"
        fail "PostgreSQL's roles and databases could not be made"
    }
}
