# shellcheck shell=bash
# A private PostgreSQL with a role and a database per service. A role can connect only to the database with its own
# name. Both pg_hba.conf and the databases' privileges enforce this rule.

# postgres_bin: prints the folder of PostgreSQL's programs, in the version of the data folder if there is one.
postgres_bin() {
    local version
    version=$(cat "$STATE/postgres/data/PG_VERSION" 2>/dev/null) ||
        version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V | tail -n 1)
    printf '/usr/lib/postgresql/%s/bin' "$version"
}

# hba_lines ADDRESSES: prints the lines of pg_hba.conf for clients at these addresses.
hba_lines() {
    printf 'host  %-8s  %-8s  %s  scram-sha-256\n' all postgres "$1" sameuser all "$1"
}

# make_database_cluster: makes the data folder if it does not exist.
make_database_cluster() {
    local home=$STATE/postgres
    mkdir -p "$home"
    if [[ -s $home/data/PG_VERSION ]]; then
        make_server_folder postgres postgres
        return
    fi
    # An interrupted first start leaves an incomplete folder.
    rm -rf "$home/data" "$home/new"
    secret postgres-postgres >"$home/password"
    make_server_folder postgres postgres
    "${PREFIX[@]}" "$(postgres_bin)/initdb" -D "$home/new" --username=postgres --pwfile="$home/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$STATE/log/initdb.log" 2>&1 || {
        print_log_end "$STATE/log/initdb.log"
        fail "cannot make PostgreSQL's data folder"
    }
    rm -f "$home/password"
    mv "$home/new" "$home/data"
}

# shared_buffers: prints PostgreSQL's shared_buffers: a quarter of the memory, as PostgreSQL's manual recommends, but at
# most 2 GB. Unused buffers occupy no memory. A search reads thousands of rows. To read a row takes about four times as
# long if its page must be copied from the operating system's cache.
shared_buffers() {
    awk '/^MemTotal:/ { mb = int($2 / 4096); print (mb < 128 ? 128 : mb > 2048 ? 2048 : mb) "MB" }' /proc/meminfo
}

launch_postgres() {
    local home=$STATE/postgres
    if is_running postgres-1; then return; fi
    require_free_port "$POSTGRES_PORT" WARREN_POSTGRES_PORT PostgreSQL
    set_user_prefix postgres
    make_database_cluster
    hba_lines 127.0.0.1/32 >"$home/data/pg_hba.conf"
    # The tests' role `scratch` creates databases whose names begin with `scratch`. Before PostgreSQL 16, pg_hba.conf
    # cannot match the beginning of a name.
    if [[ $(postgres_bin) =~ /(1[6-9]|[2-9][0-9])/ ]]; then
        printf 'host  /^scratch  scratch  127.0.0.1/32  scram-sha-256\n' >>"$home/data/pg_hba.conf"
    else
        printf 'host  all  scratch  127.0.0.1/32  scram-sha-256\n' >>"$home/data/pg_hba.conf"
    fi
    launch postgres-1 "${PREFIX[@]}" "$(postgres_bin)/postgres" -D "$home/data" -p "$POSTGRES_PORT" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 \
        -c shared_buffers="$(shared_buffers)" -c password_encryption=scram-sha-256 \
        -c timezone=UTC -c log_timezone=UTC
}

# run_sql ARGUMENTS…: runs psql as the superuser.
run_sql() {
    PGPASSWORD=$(secret postgres-postgres) PGCONNECT_TIMEOUT=5 psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 \
        -p "$POSTGRES_PORT" -U postgres -d postgres "$@"
}

postgres_is_ready() { run_sql -c 'SELECT 1' >/dev/null 2>&1; }

# role_sql NAME [OPTION]: prints SQL that creates the role and its database if they do not exist, and sets the password.
# OPTION is CREATEDB for a role that may create databases.
role_sql() {
    cat <<SQL
\\set password '$(secret "postgres-$1")'
SELECT 'CREATE ROLE "$1" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$1') \\gexec
ALTER ROLE "$1" WITH LOGIN NOSUPERUSER NOCREATEROLE ${2:-NOCREATEDB} PASSWORD :'password';
SELECT 'CREATE DATABASE "$1" OWNER "$1"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$1') \\gexec
REVOKE ALL ON DATABASE "$1" FROM PUBLIC;
SQL
}

# all_roles_sql: prints the SQL of role_sql for every service.
all_roles_sql() {
    local name
    printf 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;\n'
    for name in "${SERVICES[@]}"; do role_sql "$name"; done
}

make_roles() {
    local log=$STATE/log/roles.log
    { all_roles_sql && role_sql scratch CREATEDB; } | run_sql >"$log" 2>&1 || {
        print_log_end "$log"
        fail "cannot create PostgreSQL's roles and databases"
    }
}
