import AtomicFile
import Contracts
import Glibc
import LocalStack

/// The broker, with the rights of its administrator.
struct BrokerAdmin: Sendable {
    let stack: Stack

    /// A queue and its messages, delivered ones included.
    struct Queue: Sendable, Equatable {
        let name: String
        /// `nil` if the queue is down.
        let messages: Int?
        let consumers: Int
    }

    /// Returns all queues of Warren. The numbers can be 5 s old.
    func queues() async throws -> [Queue] {
        let table = try await stack.rabbitmqctl(
            "list_queues", "--no-table-headers", "-p", "warren", "name", "messages", "consumers")
        return try table.split(separator: "\n").map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard columns.count == 3 else { throw ChaosError("rabbitmqctl list_queues printed \(line)") }
            return Queue(name: String(columns[0]), messages: Int(columns[1]), consumers: Int(columns[2]) ?? 0)
        }
    }

    /// Returns for each user the number of connections that the broker does not block. In an alarm, the state of a
    /// connection that only consumes is `blocking`, and that of a connection that publishes is `blocked`.
    func unblockedConnections() async throws -> [String: Int] {
        let table = try await stack.rabbitmqctl("list_connections", "--no-table-headers", "user", "state")
        let rows = table.split(separator: "\n").map { $0.split(separator: "\t") }
        return rows.filter { $0.count == 2 && $0[1] != "blocked" }
            .reduce(into: [:]) { $0[String($1[0]), default: 0] += 1 }
    }

    /// Declares a queue, and binds it to exchanges.
    func declare(queue name: String, bindings: [(exchange: String, key: String)]) async throws {
        let queue: JSON = [
            "name": .string(name), "vhost": "warren", "durable": true, "auto_delete": false,
            "arguments": ["x-queue-type": "quorum"],
        ]
        let bindings = bindings.map { exchange, key -> JSON in
            [
                "source": .string(exchange), "vhost": "warren", "destination": .string(name),
                "destination_type": "queue", "routing_key": .string(key), "arguments": [:],
            ]
        }
        try await importDefinitions(["queues": [queue], "bindings": .array(bindings)])
    }

    // MARK: Nodes of a cluster

    /// A broker of a cluster.
    struct Node: Sendable, Hashable {
        /// The name in Erlang, such as `warren-2@localhost`.
        let name: String
        /// The process of the stack, such as `rabbitmq-2`.
        var process: String {
            let number = name.prefix { $0 != "@" }.split(separator: "-").dropFirst().first ?? "1"
            return "rabbitmq-\(number)"
        }
    }

    /// Returns the node that leads a quorum queue.
    ///
    /// - Parameter node: the node that is asked; `nil` for the first that runs.
    func leader(of queue: String, asking node: Node? = nil) async throws -> Node {
        let choice = node.map { ["-n", $0.name] } ?? []
        let table = try await stack.rabbitmqctl(choice + ["list_queues", "-p", "warren", "name", "leader"])
        for line in table.split(separator: "\n") {
            let columns = line.split(separator: "\t")
            if columns.count == 2, columns[0] == queue { return Node(name: String(columns[1])) }
        }
        throw ChaosError("\(queue) has no leader")
    }

    /// The nodes of a cluster (`compose/lib/cluster.sh`).
    static let nodes = ["warren@localhost", "warren-2@localhost", "warren-3@localhost"].map { Node(name: $0) }

    /// The other nodes, in Erlang. A node that has paused does not know the others' names.
    private static let otherNodes = "['warren@localhost', 'warren-2@localhost', 'warren-3@localhost'] -- [node()]"

    /// Cuts the connections of a node to the other nodes. With another cookie for them, it refuses new ones.
    ///
    /// The connections are cut at the same time, as by a broken network. If one peer stayed connected for some
    /// milliseconds, RabbitMQ would detect a partial partition and pause that peer, too. No majority would be left.
    func cutOff(_ node: Node) async throws {
        _ = try await stack.rabbitmqctl([
            "-n", node.name, "eval",
            "[erlang:set_cookie(N, cut) || N <- \(Self.otherNodes)], "
                + "[spawn(fun() -> erlang:disconnect_node(N) end) || N <- \(Self.otherNodes)].",
        ])
    }

    /// Ends the effect of ``cutOff(_:)``.
    func reconnect(_ node: Node) async throws {
        _ = try await stack.rabbitmqctl([
            "-n", node.name, "eval", "[erlang:set_cookie(N, erlang:get_cookie()) || N <- \(Self.otherNodes)].",
        ])
    }

    // MARK: Queues, bindings and users

    /// Removes a binding. `rabbitmqctl` has no command for it.
    func unbind(queue: String, exchange: String, key: String) async throws {
        _ = try await stack.rabbitmqctl([
            "eval",
            """
            rabbit_binding:remove({binding, {resource, <<"warren">>, exchange, <<"\(exchange)">>}, <<"\(key)">>,
                {resource, <<"warren">>, queue, <<"\(queue)">>}, []}, <<"chaos">>).
            """,
        ])
    }

    /// Makes a user that may do everything in Warren's virtual host, and may publish in the name of others.
    ///
    /// - Returns: the user's password.
    func makeImpersonator(_ name: String) async throws -> String {
        let password = try stack.secret("amqp-operator")
        if try await !stack.rabbitmqctl("list_users").contains("\(name)\t") {
            _ = try await stack.rabbitmqctl("add_user", name, password)
        }
        _ = try await stack.rabbitmqctl("set_user_tags", name, "impersonator")
        _ = try await stack.rabbitmqctl("set_permissions", "-p", "warren", name, ".*", ".*", ".*")
        return password
    }

    /// Removes all messages of a queue.
    func purge(_ queue: String) async throws {
        _ = try await stack.rabbitmqctl("purge_queue", "-p", "warren", queue)
    }

    /// Imports `queues/definitions.json`, as an operator does after a queue or a binding was deleted by mistake.
    func importTopology() async throws {
        let folder = stack.script.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        let file = "\(folder.joined(separator: "/"))/queues/definitions.json"
        _ = try await stack.rabbitmqctl("import_definitions", file)
    }

    private func importDefinitions(_ definitions: JSON) async throws {
        let path = "\(stack.state)/chaos-definitions.json"
        try AtomicFile(path, mode: 0o644).write(definitions.serialized(), replacing: true)
        _ = try await stack.rabbitmqctl("import_definitions", path)
    }
}
