import ChaosKit
import FaultProxy
import Glibc
import LocalStack
import Reactor

extension Testbed {
    /// The name of the second ingress, which the suite starts itself.
    static let secondIngressName = "second-ingress"

    /// Starts the missing processes, and waits until all of them are ready.
    func startMissingProcesses() async throws {
        try await stack.composeLocal("servers")
        for worker in Stack.workers { try await stack.scale(worker, Self.workers) }
        try await stack.scale("cloudinary-local", 1)
        try await stack.scale("ingress", 1)
        try await startSecondIngress()
        try expect(names)
    }

    /// The names of all processes of the stack, and that of the second ingress.
    private var names: [String] {
        let brokers = addresses.brokers.indices.map { "rabbitmq-\($0 + 1)" }
        let workers = Stack.workers.flatMap { worker in (1...Self.workers).map { "\(worker)-\($0)" } }
        return brokers + workers
            + [
                "epmd-1", "postgres-1", "redis-1", "limits-1", "cloudinary-local-1", "ingress-1",
                Self.secondIngressName,
            ]
    }

    // MARK: The watch

    /// Notes that the processes must run from now on. Those that are already watched keep their pids.
    private func expect(_ names: [String]) throws {
        for name in names where !watch.expects(name) {
            guard let pid = runningPID(name) else { throw ChaosError("\(name) does not run") }
            watch.expect(name, pid: pid)
        }
    }

    /// Notes that the suite is about to end a process.
    private func release(_ name: String) {
        if let finding = watch.release(name, running: runningPID(name)) { earlyExits.append(finding) }
    }

    /// Returns a line for each process that has ended since the last call, although no fault has ended it.
    func takeUnexpectedExits() -> [String] {
        defer { earlyExits = [] }
        return earlyExits + watch.takeFindings { runningPID($0) }
    }

    private func runningPID(_ name: String) -> pid_t? {
        let pid = name == Self.secondIngressName ? secondIngress?.pid : try? stack.pid(name)
        return pid.flatMap { Stack.isAlive($0) ? $0 : nil }
    }

    // MARK: Servers and workers

    /// Starts servers that the suite has ended, and waits until they are ready. Other servers that do not run are not
    /// started, because another fault has ended them.
    ///
    /// - Parameter servers: of `rabbitmq`, `postgres`, `redis` and `limits`.
    func start(_ servers: String...) async throws {
        let arguments = ["chaos", "--start-servers"] + servers
        let exit = try await Program(path: stack.script, arguments: arguments).run(within: .seconds(420))
        // The status is also 0 if only two brokers of a cluster run.
        let started = names.filter { name in servers.contains { name.hasPrefix("\($0)-") } }
        guard exit.status == 0, started.allSatisfy({ runningPID($0) != nil }) else {
            throw ChaosError("not all of \(started) run: \(exit.output)\(exit.errors)")
        }
        try expect(started)
    }

    /// Starts or stops processes of a service until `count` of them run and are ready.
    func scale(_ service: String, _ count: Int) async throws {
        for number in count..<max(count, Self.workers) { release("\(service)-\(number + 1)") }
        try await stack.scale(service, count)
        try expect((0..<count).map { "\(service)-\($0 + 1)" })
    }

    /// Ends a process of the stack with a signal, and returns when it has ended.
    func kill(_ name: String, with signal: Int32 = SIGKILL) async throws {
        release(name)
        try await stack.kill(name, with: signal)
    }

    /// Sends a signal to a process of the stack.
    func signal(_ name: String, _ signal: Int32) throws {
        guard Glibc.kill(try stack.pid(name), signal) == 0 else { throw ChaosError("\(name) does not run") }
    }

    // MARK: Ingresses

    private func startSecondIngress() async throws {
        if let ingress = secondIngress, Stack.isAlive(ingress.pid) { return }
        secondIngress?.removeFiles()
        let (ingress, address) = try await startIngress()
        secondIngress = ingress
        http.addresses = [addresses.http, address]
    }

    /// Stops the second ingress.
    ///
    /// - Returns: a finding if it did not exit with status 0 within 30 s.
    func stopSecondIngress() async -> String? {
        guard let ingress = secondIngress else { return nil }
        secondIngress = nil
        _ = watch.release(Self.secondIngressName, running: nil)
        http.addresses = [addresses.http]
        ingress.send(SIGTERM)
        let status = try? await ingress.waitForExit(within: .seconds(30))
        ingress.removeFiles()
        guard status != 0 else { return nil }
        return "the second ingress ended with status \(status.map { "\($0)" } ?? "unknown") after SIGTERM"
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
}
