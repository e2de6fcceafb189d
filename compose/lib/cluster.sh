# shellcheck shell=bash
# A cluster of three brokers (`up --cluster`). Each quorum queue has a member on each broker, so it works as long as two
# brokers run.
#
# At its first start, broker 1 starts alone, and brokers 2 and 3 then join it (RabbitMQ's peer discovery). Queues are
# declared only after all brokers have joined, because a quorum queue gets its members when it is declared. Therefore
# the definitions are not loaded by each broker at its start, but imported once all of them run.

# The numbers of the brokers that are ready, after complete_cluster has waited for them.
READY_BROKERS=()

broker_folder() { if (($1 == 1)); then printf rabbitmq; else printf 'rabbitmq-%s' "$1"; fi; }

broker_node() { if (($1 == 1)); then printf 'warren@localhost'; else printf 'warren-%s@localhost' "$1"; fi; }

# broker_names: prints the names of the stack's brokers, one per line.
broker_names() { seq -f 'rabbitmq-%g' "$BROKERS"; }

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
# has the marker `formed`. One marker is enough: if one folder is lost, begin_cluster must not delete the others.
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
    local number names
    mapfile -t names < <(broker_names)
    stop_processes TERM "${names[@]}"
    for number in $(seq "$BROKERS"); do rm -rf "${STATE:?}/$(broker_folder "$number")"; done
    launch_broker 1
}

# launch_formed_cluster: starts those brokers of a formed cluster that do not run. They are started together, because
# each of them waits for the others at its start. A broker whose ports are taken is left out.
launch_formed_cluster() {
    local number problem
    for number in $(seq "$BROKERS"); do
        if is_running "rabbitmq-$number"; then continue; fi
        if problem=$(require_broker_ports "$number" 2>&1); then
            launch_broker "$number"
        else
            printf '%s\n' "$problem" >&2
        fi
    done
}

# complete_cluster: waits until the brokers of a cluster are ready, and declares what is missing of the definitions. A
# new cluster needs all of its brokers, and broker 1 must be ready.
complete_cluster() {
    local number names
    ((BROKERS > 1)) || return 0
    if cluster_is_formed; then
        wait_for_majority
    else
        for number in $(seq "$BROKERS"); do launch_broker "$number"; done
        mapfile -t names < <(broker_names)
        wait_until_ready 120 server_is_ready "${names[@]}"
        mapfile -t READY_BROKERS < <(seq "$BROKERS")
    fi
    import_definitions >"$STATE/log/definitions.log" 2>&1 || {
        print_log_end "$STATE/log/definitions.log"
        fail "cannot import the definitions into the cluster"
    }
    for number in "${READY_BROKERS[@]}"; do touch "$STATE/$(broker_folder "$number")/formed"; done
}

# wait_for_majority: waits up to 120 s until all brokers of a formed cluster that run are ready, and sets READY_BROKERS
# to their numbers. Warns if one broker of the cluster is missing, and fails if it has no majority.
wait_for_majority() {
    local number missing=()
    wait_until 120 running_brokers_are_ready || true
    for number in $(seq "$BROKERS"); do
        if [[ " ${READY_BROKERS[*]} " == *" $number "* ]]; then continue; fi
        missing+=("rabbitmq-$number")
        # A broker whose ports are taken was not started.
        if [[ -v LOG_START[rabbitmq-$number] ]]; then
            print_log_end "$STATE/log/rabbitmq-$number.log" "${LOG_START[rabbitmq-$number]}"
        fi
    done
    if ((${#READY_BROKERS[@]} < 2)); then
        fail "the cluster needs two brokers, but ${missing[*]} did not become ready. The section \"A broker node" \
            "cannot be started\" of compose/README.md says what to do"
    fi
    if ((${#missing[@]})); then
        warn "${missing[*]} did not become ready. The cluster works without it, but must not lose another broker"
    fi
}

# running_brokers_are_ready: sets READY_BROKERS to the numbers of the brokers that are ready. Succeeds if no other
# broker runs.
running_brokers_are_ready() {
    local number waiting=no
    READY_BROKERS=()
    for number in $(seq "$BROKERS"); do
        if ! is_running "rabbitmq-$number"; then continue; fi
        if rabbitmq_is_ready "$number"; then READY_BROKERS+=("$number"); else waiting=yes; fi
    done
    [[ $waiting == no ]]
}

# import_definitions: imports queues/definitions.json and the definitions for tests, as soon as the brokers that are
# ready have joined the cluster.
import_definitions() {
    run_rabbitmqctl "${READY_BROKERS[0]}" -q await_online_nodes "${#READY_BROKERS[@]}" --timeout 60 &&
        { cat "$ROOT/queues/definitions.json" && scratch_definitions; } | merge_definitions |
        run_rabbitmqctl "${READY_BROKERS[0]}" -q import_definitions || return
    # A queue cannot get a member on a broker that does not run.
    ((${#READY_BROKERS[@]} < BROKERS)) || complete_members
}

# complete_members: gives each quorum queue a member on each broker. Queues lack members if a broker has lost its data
# and joined the cluster again.
complete_members() {
    local number
    if members_are_complete; then return; fi
    set_rabbitmq_environment 1
    for number in $(seq "$BROKERS"); do
        "${RABBITMQ_ENV[@]}" "$RABBITMQ_BIN/rabbitmq-queues" grow "$(broker_node "$number")" all || return
    done
    # `grow` succeeds even if it could not add a member to a queue.
    members_are_complete || { echo "A quorum queue lacks a member." && return 1; }
}

# members_are_complete: succeeds if each quorum queue has a member on each broker.
members_are_complete() {
    rabbitmqctl -q list_queues -p warren type members --formatter json | jq -e --argjson brokers "$BROKERS" \
        'all(.[]; .type != "quorum" or (.members | length) == $brokers)'
}

# merge_definitions: reads definitions documents, and prints one that has the content of all of them.
merge_definitions() {
    jq -s '[.[] | to_entries[]] | group_by(.key) | map({key: .[0].key, value: map(.value) | add}) | from_entries'
}
