# shellcheck shell=bash
# A cluster of three brokers (`up --cluster`). Each quorum queue has a member on each broker, so it works as long as two
# brokers run.
#
# At its first start, broker 1 starts alone, and brokers 2 and 3 then join it (RabbitMQ's peer discovery). Queues are
# declared only after all brokers have joined, because a quorum queue gets its members when it is declared. Therefore
# the definitions are not loaded by each broker at its start, but imported once all of them run.

broker_folder() { if (($1 == 1)); then printf rabbitmq; else printf 'rabbitmq-%s' "$1"; fi; }

broker_node() { if (($1 == 1)); then printf 'warren@localhost'; else printf 'warren-%s@localhost' "$1"; fi; }

# running_broker: prints the number of the first broker that runs, or 1 if none runs.
running_broker() {
    local number
    for number in $(seq "$BROKERS"); do
        if is_running "rabbitmq-$number"; then
            printf '%s' "$number"
            return
        fi
    done
    printf 1
}

# nodes_to_discover NUMBER: prints the nodes among which a blank broker looks for a cluster to join, one per line.
# Broker 1 of a new cluster has nothing to join, and does not wait for the others.
nodes_to_discover() {
    local number
    if (($1 == 1)) && ! cluster_is_formed; then
        broker_node 1 && echo
        return
    fi
    for number in $(seq "$BROKERS"); do broker_node "$number" && echo; done
}

# cluster_conf NODE…: prints the lines that rabbitmq.conf has in a cluster of these nodes.
cluster_conf() {
    local number
    printf 'cluster_formation.peer_discovery_backend = classic_config\n'
    for ((number = 1; number <= $#; number++)); do
        printf 'cluster_formation.classic_config.nodes.%s = %s\n' "$number" "${!number}"
    done
    cat <<'CONF'
# Nodes that cannot reach a majority stop serving clients, so that the cluster never splits into two.
cluster_partition_handling = pause_minority
# Nodes notice a silent node after 4.5 to 7.5 s. The default is 60, so publishers on an isolated node would get no
# confirms for a minute.
net_ticktime = 6
# The leaders of new queues are spread over the nodes.
queue_leader_locator = balanced
CONF
}

# classic_queue_conf: prints the line that spreads classic queues over the nodes. From version 4, queue_leader_locator
# applies to them too.
classic_queue_conf() {
    if compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-3.*' >/dev/null; then
        printf 'queue_master_locator = min-masters\n'
    fi
}

# cluster_is_formed: succeeds if all brokers have joined the cluster, and its queues were declared. Each broker's folder
# has a file that says so, and one of them is enough, so that the loss of one folder does not delete the others.
cluster_is_formed() {
    local number
    for number in $(seq "$BROKERS"); do
        if [[ -e $STATE/$(broker_folder "$number")/formed ]]; then return; fi
    done
    return 1
}

# begin_cluster: starts broker 1 of a new cluster. If an earlier first start was interrupted, deletes what it left
# behind. The brokers have no messages yet, because daemons start after the cluster is formed.
begin_cluster() {
    local number
    stop_processes TERM rabbitmq-1 rabbitmq-2 rabbitmq-3
    for number in $(seq "$BROKERS"); do rm -rf "${STATE:?}/$(broker_folder "$number")"; done
    launch_broker 1
}

# complete_cluster: waits until all brokers of a cluster run, and declares what is missing of the definitions. Broker 1
# must be ready.
complete_cluster() {
    local number names=()
    ((BROKERS > 1)) || return 0
    for number in $(seq "$BROKERS"); do
        launch_broker "$number"
        names+=("rabbitmq-$number")
    done
    wait_until_ready 120 server_is_ready "${names[@]}"
    import_definitions >"$STATE/log/definitions.log" 2>&1 || {
        print_log_end "$STATE/log/definitions.log"
        fail "cannot import the definitions into the cluster"
    }
    for number in $(seq "$BROKERS"); do touch "$STATE/$(broker_folder "$number")/formed"; done
}

# import_definitions: imports queues/definitions.json and the definitions for tests, as soon as all brokers are members
# of the cluster.
import_definitions() {
    rabbitmqctl -q await_online_nodes "$BROKERS" --timeout 60 &&
        { cat "$ROOT/queues/definitions.json" && scratch_definitions; } | merge_definitions |
        rabbitmqctl -q import_definitions && complete_members
}

# complete_members: gives each quorum queue a member on each broker. Queues lack members if a broker has lost its data
# and joined the cluster again.
complete_members() {
    local number
    if rabbitmqctl -q list_queues -p warren type members --formatter json | jq -e --argjson brokers "$BROKERS" \
        'all(.[]; .type != "quorum" or (.members | length) == $brokers)'; then
        return
    fi
    for number in $(seq "$BROKERS"); do
        set_rabbitmq_environment "$(running_broker)"
        "${RABBITMQ_ENV[@]}" "$RABBITMQ_BIN/rabbitmq-queues" grow "$(broker_node "$number")" all || return
    done
}

# merge_definitions: reads definitions documents, and prints one that has the content of all of them.
merge_definitions() {
    jq -s '[.[] | to_entries[]] | group_by(.key) | map({key: .[0].key, value: map(.value) | add}) | from_entries'
}
