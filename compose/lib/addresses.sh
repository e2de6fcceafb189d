# shellcheck shell=bash
# Prints addresses as `export` lines, which a shell can evaluate. In a cluster, the broker's address is that of a broker
# that runs.

export_line() { printf 'export %s=%q\n' "$1" "$2"; }

# print_stack_addresses: prints the addresses of the API and of the servers, with the stack's passwords.
print_stack_addresses() {
    local service broker
    broker=$(running_broker)
    export_line WARREN_URL "http://127.0.0.1:$HTTP_PORT"
    export_line WARREN_INTEGRATOR_URL "$(amqp_url integrator warren "$broker")"
    export_line WARREN_OPERATOR_URL "$(amqp_url operator warren "$broker")"
    for service in "${SERVICES[@]}"; do
        export_line "WARREN_${service^^}_DATABASE_URL" "$(database_url "$service")"
    done
    export_line WARREN_REDIS_URL "$(redis_url redis 0)"
    export_line WARREN_LIMITS_REDIS_URL "$(redis_url limits 0)"
    export_line CLOUDINARY_URL "$(cloudinary_url)"
}

# print_test_addresses SERVER…: prints the addresses for tests: virtual hosts, a database and a Redis database that the
# stack's daemons do not use.
print_test_addresses() {
    local server broker
    broker=$(running_broker)
    for server in "$@"; do
        case $server in
        rabbitmq)
            export_line WARREN_TEST_AMQP_URL "$(amqp_url scratch scratch "$broker")"
            export_line WARREN_TEST_DAEMONS_AMQP_URL "$(amqp_url scratch scratch-daemons "$broker")"
            ;;
        postgres) export_line WARREN_TEST_DATABASE_URL "$(database_url scratch)" ;;
        redis) export_line WARREN_TEST_REDIS_URL "$(redis_url redis 9)" ;;
        esac
    done
}
