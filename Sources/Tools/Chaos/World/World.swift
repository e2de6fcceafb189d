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
@Loop final class World {
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
    var ended: Set<String> = []
    /// The second ingress, which `compose/local` does not know.
    private(set) var secondIngress: ChildProcess?

    init(_ addresses: Addresses, seed: UInt64) throws {
        self.addresses = addresses
        stack = addresses.stack
        proxies = try Proxies(addresses)
        databases = Databases(addresses)
        broker = BrokerAdmin(stack: stack)
        mediaHost = try MediaHost(addresses)
        events = EventCounter(
            address: addresses.broker(user: "integrator", password: try stack.secret("amqp-integrator")))
        http = try HTTPCaller(addresses: [addresses.http])
        let prefix = "chaos\(String(Timestamp.now().milliseconds / 1000, radix: 36))"
        clients = Clients(http: http, prefix: prefix, seed: seed)
        generator = SeededGenerator(seed: seed)
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
    func startIngress(
        _ changes: [String: String] = [:]
    ) async throws -> (process: ChildProcess, address: String) {
        let host = "127.0.0.1:\(try Self.freePort())"
        let ingress = try stack.startCopy(of: "ingress-1", changes.merging(["WARREN_HTTP_ADDRESS": host]) { $1 })
        let deadline = ContinuousClock.now + .seconds(20)
        while await !isReady("http://\(host)") {
            guard .now < deadline else { throw ChaosError("a further ingress is not ready after 20 s") }
            try await Loop.sleep(for: .milliseconds(50))
        }
        return (ingress, "http://\(host)")
    }

    /// Lets the clients use two ingresses with other settings while the body runs.
    func replacingIngresses(
        _ changes: [String: String], _ body: @Loop ([ChildProcess]) async throws -> Void
    ) async throws {
        let usual = http.addresses
        let (first, second) = (try await startIngress(changes), try await startIngress(changes))
        http.addresses = [first.address, second.address]
        let result: Result<Void, any Error>
        do { result = .success(try await body([first.process, second.process])) } catch { result = .failure(error) }
        http.addresses = usual
        for ingress in [first.process, second.process] {
            ingress.send(SIGTERM)
            _ = try await ingress.waitForExit(within: .seconds(30))
            ingress.removeFiles()
        }
        try result.get()
    }

    /// Returns a port on which no process listens. Another process can take it at any time.
    private static func freePort() throws -> Int {
        let listener = try FaultProxy(to: 1)
        defer { listener.stop() }
        return listener.port
    }

    /// Whether an ingress is connected to the broker.
    func isReady(_ address: String) async -> Bool {
        await http.status(of: "\(address)/health/ready") == 200
    }

    /// Starts the servers that do not run, and waits until they are ready.
    func startServers() async throws { try await stack.composeLocal("servers") }

    /// Starts or stops processes of a service until `count` of them run and are ready.
    func scale(_ service: String, _ count: Int) async throws {
        for number in count..<max(count, Self.workers) { ended.insert("\(service)-\(number + 1)") }
        try await stack.scale(service, count)
    }

    /// Kills a process of the stack, and returns when it has ended.
    func kill(_ name: String) async throws {
        ended.insert(name)
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

    // MARK: Calls

    /// Requires that a call of this kind got a 503 while the fault lasted. Otherwise the fault had no effect.
    func requireRefusals(_ call: String, _ run: FaultRun) {
        let isRefused = http.log.calls.contains { $0.call == call && $0.status == 503 && $0.began >= run.began }
        run.require(isRefused, "no \(call) got a 503, so the fault had no effect")
    }

    /// Requires that a call of this kind got a 202 or failed while the fault lasted. Otherwise the fault had no effect.
    func requireDelays(_ call: String, _ run: FaultRun) {
        let isDelayed = http.log.calls.contains { $0.call == call && !$0.isServed && $0.ended >= run.began }
        run.require(isDelayed, "every \(call) was served, so the fault had no effect")
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

    /// Runs a command on the Redis server of the caches, with all rights.
    @discardableResult func redis(_ arguments: String...) async throws -> String {
        var environment = ProcessInfo.processInfo.environment
        environment["REDISCLI_AUTH"] = try stack.secret("redis")
        return try await Program(
            path: "/usr/bin/redis-cli", arguments: ["-e", "-p", "\(addresses.redis)"] + arguments,
            environment: environment
        ).runSuccessfully()
    }
}
