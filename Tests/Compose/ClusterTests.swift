import Foundation
import TestSupport
import Testing

/// Tests the functions of `compose/lib` for a cluster of brokers, without a broker.
@Suite("Cluster of compose/local")
struct ClusterTests {
    private static let parts = [
        "output", "state", "secrets", "process", "rabbitmq", "cluster", "redis", "servers", "addresses", "daemons",
        "status", "commands",
    ]
    /// Starts no process.
    private static let stubs = """
        set_user_prefix() { PREFIX=(); }
        make_server_folder() { :; }
        require_free_port() { :; }
        wait_until_ready() { echo "waited for ${*:3}"; }
        launch() { echo "launched $1"; }
        stop_processes() { :; }
        make_state_folder
        """

    private let state: TemporaryFolder

    init() throws {
        state = try TemporaryFolder()
    }

    private func run(_ script: String) async throws -> Repository.ProgramResult {
        try await Repository.runScript("\(Self.stubs)\n\(script)", parts: Self.parts, state: state.path)
    }

    private func runSuccessfully(_ script: String) async throws -> String {
        let result = try await run(script)
        try #require(result.status == 0, "\(result.errors)")
        return result.text
    }

    @Test("daemons of a cluster get an address with all brokers, and other clients that of a broker that runs")
    func addresses() async throws {
        let printed = try await runSuccessfully(
            """
            BROKERS=3 AMQP_PORT=1001 AMQP_PORT_2=1002 AMQP_PORT_3=1003 HTTP_PORT=1 POSTGRES_PORT=2 REDIS_PORT=3
            LIMITS_PORT=4 CLOUDINARY_PORT=5
            is_running() { [[ $1 != rabbitmq-1 ]]; }
            write_addresses
            print_stack_addresses && print_test_addresses rabbitmq
            for name in rabbitmq-1 rabbitmq-2 rabbitmq-3; do address_of $name && echo; done
            """)
        let url = try state.text("secrets/post-amqp.url")
        #expect(url.hasPrefix("amqp://post:"))
        #expect(url.hasSuffix("@127.0.0.1:1001,127.0.0.1:1002,127.0.0.1:1003/warren?heartbeat=3"))
        let hosts = try Repository.all(#"AMQP_URL=amqp://[a-z]+:[0-9a-f]+@([0-9.:]+)/"#, in: printed)
        let others = try Repository.all(
            #"(?:INTEGRATOR|OPERATOR)_URL=amqp://[a-z]+:[0-9a-f]+@([0-9.:]+/warren)$"#, in: printed)
        #expect(hosts == ["127.0.0.1:1002"] && others == ["127.0.0.1:1002/warren"])
        #expect(printed.hasSuffix("127.0.0.1:1001\n127.0.0.1:1002\n127.0.0.1:1003\n"))
    }

    @Test("daemons of a stack with one broker get its address without further parameters")
    func oneBroker() async throws {
        let url = try await runSuccessfully("AMQP_PORT=1001; daemon_amqp_url post; echo; amqp_url post")
        let lines = url.split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == lines[1])
        #expect(lines[0].hasSuffix("@127.0.0.1:1001/warren"))
    }

    @Test("a stack stays a cluster without the option --cluster, also with other ports")
    func remembers() async throws {
        let values = "echo $BROKERS $AMQP_PORT_3"
        #expect(try await runSuccessfully("prepare_stack --cluster; \(values)") == "3 17676\n")
        try state.write("data", to: "rabbitmq/formed")
        #expect(try await runSuccessfully("WARREN_AMQP_PORT_3=999; prepare_stack; \(values)") == "3 999\n")
        #expect(try await runSuccessfully("prepare_stack --cluster; \(values)") == "3 17676\n")
    }

    @Test("a stack with one broker does not become a cluster")
    func refusesCluster() async throws {
        #expect(try await runSuccessfully("prepare_stack; echo $BROKERS") == "1\n")
        try state.write("data", to: "rabbitmq/data/schema.DAT")
        let result = try await run("prepare_stack --cluster")
        #expect(result.status == 1 && result.errors.contains("only a new stack can be a cluster"), "\(result.errors)")
        #expect(try await runSuccessfully("prepare_stack; echo $BROKERS") == "1\n")
    }

    @Test("in a new cluster, broker 1 starts alone, and the others join it before queues are declared")
    func forms() async throws {
        let script = """
            import_definitions() { echo imported; }
            port_is_open() { return 1; }
            rabbitmq_is_ready() { true; }
            BROKERS=3 EPMD_PORT=1
            for number in 1 2 3; do
                declare $(broker_variable AMQP_PORT $number)=100$number $(broker_variable DIST_PORT $number)=200$number
            done
            launch() { echo "launched $1"; running+=" $1 "; }
            is_running() { [[ ${running-} == *" $1 "* ]]; }
            launch_rabbitmq
            wait_until_ready 1 server_is_ready rabbitmq-1
            grep -c classic_config.nodes $STATE/rabbitmq/rabbitmq.conf
            complete_cluster
            grep -c classic_config.nodes $STATE/rabbitmq-3/rabbitmq.conf
            """
        let formed = """
            launched epmd-1
            waited for epmd-1
            launched rabbitmq-1
            waited for rabbitmq-1
            1
            launched rabbitmq-2
            launched rabbitmq-3
            waited for rabbitmq-1 rabbitmq-2 rabbitmq-3
            3

            """
        #expect(try await runSuccessfully(script) == formed)
        #expect(try state.text("log/definitions.log") == "imported\n")
        let configuration = try state.text("rabbitmq-2/rabbitmq.conf")
        #expect(configuration.hasPrefix("listeners.tcp.local = 127.0.0.1:1002\n"))
        #expect(configuration.contains("\ncluster_formation.classic_config.nodes.1 = warren@localhost\n"))
        #expect(configuration.contains("\ncluster_partition_handling = pause_minority\n"))
        #expect(try state.contents("rabbitmq-2/definitions") == ["1-users.json"])

        // All brokers of a cluster that was formed before start together, because each waits for the others.
        let restarted = try await runSuccessfully(script)
        #expect(restarted.hasPrefix("launched epmd-1\nwaited for epmd-1\nlaunched rabbitmq-1\nlaunched rabbitmq-2\n"))
        #expect(try state.text("rabbitmq/rabbitmq.conf").contains("nodes.3 = warren-3@localhost\n"))

        // If the folder of one broker is lost, the others keep their data.
        try FileManager.default.removeItem(atPath: state.path("rabbitmq"))
        try state.write("data", to: "rabbitmq-2/data/schema.DAT")
        #expect(try await runSuccessfully(script) == restarted)
        #expect(try state.text("rabbitmq-2/data/schema.DAT") == "data")
    }

    /// Starts the brokers of a formed cluster.
    ///
    /// - Parameters:
    ///   - taken: the numbers of the brokers whose ports are in use.
    ///   - broken: the numbers of the brokers that exit at their start.
    private func startFormedCluster(taken: [Int] = [], broken: [Int] = []) async throws -> Repository.ProgramResult {
        try state.write("", to: "rabbitmq-2/formed")
        return try await run(
            """
            BROKERS=3 EPMD_PORT=1
            for number in 1 2 3; do
                declare $(broker_variable AMQP_PORT $number)=100$number $(broker_variable DIST_PORT $number)=200$number
            done
            require_free_port() {
                if [[ " \(taken.map { "100\($0)" }.joined(separator: " ")) " == *" $1 "* ]]; then fail "$1 is taken"; fi
            }
            launch() {
                echo "launched $1"
                if [[ " \(broken.map { "rabbitmq-\($0)" }.joined(separator: " ")) " != *" $1 "* ]]; then
                    running+=" $1 "
                fi
            }
            is_running() { [[ ${running-} == *" $1 "* ]]; }
            rabbitmq_is_ready() { true; }
            run_rabbitmqctl() { cat >/dev/null && echo "rabbitmqctl $*"; }
            complete_members() { echo "completed members"; }
            start_servers rabbitmq
            """)
    }

    @Test("a formed cluster starts with two brokers if the third cannot be started", arguments: 1...3, [true, false])
    func brokenBroker(number: Int, isPortTaken: Bool) async throws {
        let result = try await startFormedCluster(
            taken: isPortTaken ? [number] : [], broken: isPortTaken ? [] : [number])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("rabbitmq-\(number) did not become ready"), "\(result.errors)")
        let others = (1...3).filter { $0 != number }
        for other in others { #expect(result.text.contains("launched rabbitmq-\(other)\n")) }
        // The brokers that run await each other only, and queues get no members on the third one.
        #expect(try state.text("log/definitions.log").contains("rabbitmqctl \(others[0]) -q await_online_nodes 2 "))
        #expect(try !state.text("log/definitions.log").contains("completed members"))
    }

    @Test("a formed cluster whose brokers all start gets the members that its queues lack")
    func allBrokers() async throws {
        let result = try await startFormedCluster()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let log = try state.text("log/definitions.log")
        #expect(log.contains("await_online_nodes 3 ") && log.contains("completed members"), "\(log)")
    }

    @Test("a cluster does not start with one broker")
    func oneOfThree() async throws {
        let result = try await startFormedCluster(taken: [1], broken: [3])
        #expect(result.status == 1)
        #expect(result.errors.contains("needs two brokers, but rabbitmq-1 rabbitmq-3 did not"), "\(result.errors)")
    }

    @Test("the start of a cluster fails if a queue lacks a member after the broker was told to add it")
    func incompleteQueue() async throws {
        try state.write("#!/bin/sh\necho grew \"$@\"\n", to: "bin/rabbitmq-queues")
        let result = try await run(
            """
            BROKERS=3 DIST_PORT=2001 EPMD_PORT=1 RABBITMQ_BIN=$STATE/bin
            chmod +x $STATE/bin/rabbitmq-queues
            members_are_complete() { false; }
            complete_members
            """)
        #expect(result.status == 1)
        #expect(result.text.contains("grew grow warren-3@localhost all\n"), "\(result.text) \(result.errors)")
        #expect(try await runSuccessfully("members_are_complete() { true; }; complete_members").isEmpty)
    }

    @Test("a port of the distribution must leave room for the ports of rabbitmqctl")
    func distributionPort() async throws {
        let result = try await run("WARREN_DIST_PORT=45436; prepare_stack")
        #expect(result.status == 1 && result.errors.contains("must be at most 45435"), "\(result.errors)")
        #expect(try await runSuccessfully("WARREN_DIST_PORT=45435; prepare_stack; echo $DIST_PORT") == "45435\n")
    }

    @Test("a first start of a cluster that was interrupted begins again without the data that it left behind")
    func interrupted() async throws {
        try state.write("half", to: "rabbitmq/data/warren@localhost/schema.DAT")
        try state.write("half", to: "rabbitmq-2/data/warren-2@localhost/schema.DAT")
        let printed = try await runSuccessfully(
            """
            BROKERS=3 EPMD_PORT=1 AMQP_PORT=1001 DIST_PORT=2001
            is_running() { false; }
            launch_rabbitmq
            """)
        #expect(printed.hasSuffix("launched rabbitmq-1\n"))
        #expect(try !state.contents().contains { $0.hasSuffix("schema.DAT") })
    }

    @Test("the definitions for a cluster have all entries of the merged documents")
    func merges() async throws {
        let merged = try await runSuccessfully(
            #"""
            { cat "$ROOT/queues/definitions.json" && scratch_definitions; } | merge_definitions |
                jq -c '(.vhosts | map(.name)), (.queues | length), (.users | map(.name)), (.permissions | length)'
            jq '.queues, .permissions | length' "$ROOT/queues/definitions.json"
            """#
        ).split(separator: "\n")
        try #require(merged.count == 6)
        #expect(merged[0] == #"["warren","scratch","scratch-daemons"]"#)
        #expect(merged[1] == merged[4] && merged[2] == #"["scratch"]"#)
        #expect(Int(merged[3]) == Int(merged[5]).map { $0 + 2 })
    }
}
