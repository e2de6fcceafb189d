import FoundationEssentials
import Glibc
import LocalStack
import Reactor

extension Testbed {
    /// Runs a body while the workers of some services are replaced by processes of the suite, one per service. Stops
    /// these processes afterwards, and requires that they exit with status 0 within 30 s.
    ///
    /// - Parameter start: starts the process of a service.
    func replacing(
        _ services: [String], _ run: FaultRun, with start: @Loop (String) throws -> ChildProcess,
        _ body: @Loop () async throws -> Void
    ) async throws {
        try await adding(services, run, with: start) {
            let result: Result<Void, any Error>
            do {
                for service in services { try await scale(service, 0) }
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            for service in services { try await scale(service, Self.workers) }
            try result.get()
        }
    }

    /// Runs a body while a further process of each service runs. Stops these processes afterwards, and requires that
    /// they exit with status 0 within 30 s.
    ///
    /// - Parameter start: starts the process of a service.
    func adding(
        _ services: [String], _ run: FaultRun, with start: @Loop (String) throws -> ChildProcess,
        _ body: @Loop () async throws -> Void
    ) async throws {
        var copies: [(service: String, process: ChildProcess)] = []
        let result: Result<Void, any Error>
        do {
            for service in services { copies.append((service, try start(service))) }
            try await awaitConsumers(services)
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        try await terminate(copies, run)
        try result.get()
    }

    /// Stops processes with SIGTERM, and requires that they exit with status 0 within 30 s.
    func terminate(_ processes: [(service: String, process: ChildProcess)], _ run: FaultRun) async throws {
        for (_, process) in processes { process.send(SIGTERM) }
        let deadline = ContinuousClock.now + .seconds(30)
        for (service, process) in processes {
            let status = try await process.waitForExit(within: deadline - .now)
            run.require(status == 0, "a \(service) process ended with status \(status) after SIGTERM")
            process.removeFiles()
        }
    }

    /// Waits until a further process of each service consumes.
    private func awaitConsumers(_ services: [String]) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let queues = try await broker.queues()
            let ready = services.allSatisfy { service in
                queues.contains { $0.name.hasPrefix("\(service).") && $0.consumers > Self.workers }
            }
            if ready { return }
            guard .now < deadline else { throw ChaosError("the copies of \(services) do not consume after 60 s") }
            try await Loop.sleep(for: .milliseconds(200))
        }
    }
}
