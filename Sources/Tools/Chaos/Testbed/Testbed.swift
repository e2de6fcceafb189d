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
    /// The processes that faults have ended in this episode, such as `post-1`.
    var endedProcesses: Set<String> = []
    /// The names of all queues at the start. They must exist after each episode.
    private(set) var queueNames: Set<String> = []
    /// The second ingress, which the suite starts itself.
    private(set) var secondIngress: ChildProcess?

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

    // MARK: Processes

    /// Starts the missing processes, and waits until all of them are ready.
    func startMissingProcesses() async throws {
        try await startServers()
        for worker in Stack.workers { try await stack.scale(worker, Self.workers) }
        try await stack.scale("cloudinary-local", 1)
        try await stack.scale("ingress", 1)
        try await startSecondIngress()
    }

    private func startSecondIngress() async throws {
        if let ingress = secondIngress, Stack.isAlive(ingress.pid) { return }
        secondIngress?.removeFiles()
        let (ingress, address) = try await startIngress()
        secondIngress = ingress
        http.addresses = [addresses.http, address]
    }

    /// Starts a copy of the ingress on a free port, and waits until it is ready.
    ///
    /// - Parameters:
    ///   - changes: variables that get another value.
    ///   - errors: a file that gets standard error; `nil` for a file in the folder of logs.
    func startIngress(
        _ changes: [String: String] = [:], errors: String? = nil
    ) async throws -> (process: ChildProcess, address: String) {
        let host = "127.0.0.1:\(try freePort())"
        let ingress = try startCopy(of: "ingress", changes.merging(["WARREN_HTTP_ADDRESS": host]) { $1 }, errors)
        let deadline = ContinuousClock.now + .seconds(20)
        while await !isReady("http://\(host)") {
            guard .now < deadline else { throw ChaosError("a further ingress is not ready after 20 s") }
            try await Loop.sleep(for: .milliseconds(50))
        }
        return (ingress, "http://\(host)")
    }

    /// Starts a copy of the first process of a daemon.
    ///
    /// - Parameter errors: a file that gets standard error; `nil` for a file in the folder of logs.
    func startCopy(
        of daemon: String, _ changes: [String: String] = [:], _ errors: String? = nil
    ) throws -> ChildProcess {
        try stack.startCopy(
            of: "\(daemon)-1", changes, errors: errors ?? "\(stack.state)/log/\(daemon)-chaos.log")
    }

    /// Lets the clients use two ingresses with other settings while the body runs. Stops these ingresses afterwards,
    /// and requires that they exit with status 0 within 30 s.
    func replacingIngresses(
        _ changes: [String: String] = [:], errors: String? = nil, _ run: FaultRun,
        _ body: @Loop ([ChildProcess]) async throws -> Void
    ) async throws {
        let usual = http.addresses
        let first = try await startIngress(changes, errors: errors)
        let second = try await startIngress(changes, errors: errors)
        http.addresses = [first.address, second.address]
        let result: Result<Void, any Error>
        do { result = .success(try await body([first.process, second.process])) } catch { result = .failure(error) }
        http.addresses = usual
        try await terminate([("ingress", first.process), ("ingress", second.process)], run)
        try result.get()
    }

    /// Whether an ingress is connected to the broker.
    func isReady(_ address: String) async -> Bool {
        await http.status(of: "\(address)/health/ready") == 200
    }

    /// Starts the servers that do not run, and waits until they are ready.
    func startServers() async throws {
        try await stack.composeLocal("servers")
        // `servers` also succeeds if only two brokers of a cluster run.
        for number in addresses.brokers.indices {
            let name = "rabbitmq-\(number + 1)"
            guard Stack.isAlive(try stack.pid(name)) else { throw ChaosError("\(name) does not run") }
        }
    }

    /// Starts or stops processes of a service until `count` of them run and are ready.
    func scale(_ service: String, _ count: Int) async throws {
        for number in count..<max(count, Self.workers) { endedProcesses.insert("\(service)-\(number + 1)") }
        try await stack.scale(service, count)
    }

    /// Kills a process of the stack, and returns when it has ended.
    func kill(_ name: String) async throws {
        endedProcesses.insert(name)
        try await stack.kill(name, with: SIGKILL)
    }

    /// Sends a signal to a process of the stack.
    func signal(_ name: String, _ signal: Int32) throws {
        guard Glibc.kill(try stack.pid(name), signal) == 0 else { throw ChaosError("\(name) does not run") }
    }

    /// Stops the process of the second ingress and the proxies.
    func close() async {
        if let ingress = secondIngress {
            ingress.send(SIGTERM)
            _ = try? await ingress.waitForExit(within: .seconds(40))
            ingress.removeFiles()
        }
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
