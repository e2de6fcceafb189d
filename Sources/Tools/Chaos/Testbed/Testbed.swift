import AMQP
import AtomicFile
import ChaosKit
import Contracts
import FaultProxy
import FoundationEssentials
import Glibc
import LocalStack
import Reactor
import TestData

/// The stack under attack, and the means to attack it.
@Loop final class Testbed {
    /// The processes of each worker. The others take over while one is attacked.
    static let workers = 2

    let addresses: Addresses
    let stack: Stack
    let proxies: Proxies
    let databases: Databases
    let broker: BrokerAdmin
    let mediaHost: MediaHost
    let events: EventCounter
    let http: HTTPCaller
    let clients: Clients
    var generator: SeededGenerator
    /// The processes that must run, such as `post-1`.
    var watch = ProcessWatch()
    /// The processes that had ended before the suite ended them.
    var earlyExits: [String] = []
    /// The names of all queues at the start. They must exist after each episode.
    private(set) var queueNames: Set<String> = []
    /// The second ingress, which the suite starts itself.
    var secondIngress: ChildProcess?

    init(_ addresses: Addresses, seed: UInt64) throws {
        self.addresses = addresses
        stack = addresses.stack
        proxies = try Proxies(addresses)
        databases = Databases(addresses)
        broker = BrokerAdmin(stack: stack)
        mediaHost = try MediaHost(addresses)
        events = EventCounter(
            address: addresses.broker(user: "integrator", password: try stack.secret("amqp-integrator")),
            databases: databases)
        http = try HTTPCaller(addresses: [addresses.http])
        let prefix = "chaos\(String(Timestamp.now().milliseconds / 1000, radix: 36))"
        clients = Clients(http: http, prefix: prefix, seed: seed) { [databases] in await databases.hasPost($0) }
        generator = SeededGenerator(seed: seed)
    }

    /// Notes the names of the queues that exist now.
    func noteQueues() async throws {
        queueNames = Set(try await broker.queues().map(\.name).filter { !$0.hasPrefix("amq.gen-") })
    }

    /// Stops the process of the second ingress and the proxies.
    func close() async {
        _ = await stopSecondIngress()
        mediaHost.close()
        http.close()
        proxies.stop()
    }

    /// Waits for a random time.
    func sleep(seconds range: ClosedRange<Double>) async throws {
        try await Loop.sleep(for: .seconds(Double.random(in: range, using: &generator)))
    }

    // MARK: Servers

    /// Returns the address in a secret, with another port. The address of a cluster becomes that of one broker.
    func addressOf(_ name: String, port: Int) throws -> String {
        let address = try stack.secret(name)
        guard let at = address.lastIndex(of: "@"), let slash = address[at...].firstIndex(of: "/") else {
            throw ChaosError("\(name) is not the address of a server")
        }
        return "\(address[...at])127.0.0.1:\(port)\(address[slash...])"
    }

    /// Replaces the text of a secret, from which daemons read an address.
    func changeSecret(_ name: String, _ change: (String) -> String) throws {
        let text = change(try stack.secret(name))
        try AtomicFile("\(stack.state)/secrets/\(name)", mode: 0o600).write(Array(text.utf8), replacing: true)
    }

    /// Runs SQL as PostgreSQL's superuser.
    @discardableResult func psql(_ statements: String..., database: String = "postgres") async throws -> String {
        var environment = ProcessInfo.processInfo.environment
        environment["PGPASSWORD"] = addresses.postgresPassword
        let commands = statements.flatMap { ["-c", $0] }
        return try await Program(
            path: "/usr/bin/psql",
            arguments: [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", "\(addresses.postgres)", "-U",
                "postgres", "-d", database,
            ] + commands, environment: environment
        ).runSuccessfully()
    }

    /// Runs a command on Redis servers, with all rights.
    ///
    /// - Returns: the outputs.
    @discardableResult func redis(_ servers: [RedisServer], _ arguments: String...) async throws -> String {
        var output = ""
        for server in servers {
            var environment = ProcessInfo.processInfo.environment
            environment["REDISCLI_AUTH"] = try stack.secret(server.rawValue)
            let port = server == .caches ? addresses.redis : addresses.limits
            output += try await Program(
                path: "/usr/bin/redis-cli", arguments: ["-e", "-p", "\(port)"] + arguments, environment: environment
            ).runSuccessfully()
        }
        return output
    }
}
