# shellcheck shell=bash
# The test targets, and the servers that each needs; `stack` stands for all servers and daemons. A test compares this
# table with Package.swift and with the table in Tests/README.md.

declare -A TEST_NEEDS=(
    [AMQP]="rabbitmq"
    [Argon2]=""
    [AtomicFile]=""
    [Bench]=""
    [Chaos]=""
    [CloudinaryLocal]=""
    [Compose]=""
    [Contracts]=""
    [Curl]=""
    [FaultProxy]=""
    [Fuzz]=""
    [Identity]="rabbitmq postgres redis"
    [ImageHeaders]=""
    [Ingress]="rabbitmq redis"
    [Journeys]="stack"
    [LocalStack]=""
    [Media]="postgres"
    [Post]="postgres redis"
    [Postgres]="postgres"
    [Reactor]=""
    [Redis]="redis"
    [Search]="postgres redis"
    [WorkerKit]="rabbitmq postgres redis"
)

# print_targets: prints the table for the operator.
print_targets() {
    local target
    for target in "${!TEST_NEEDS[@]}"; do
        printf '  %-18s %s\n' "$target" "${TEST_NEEDS[$target]:-no server}"
    done | sort
}
