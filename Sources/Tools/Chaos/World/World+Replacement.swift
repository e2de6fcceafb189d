import FoundationEssentials
import Glibc
import LocalStack
import Reactor

extension World {
    /// Runs a body while the workers of some services are replaced by processes of the suite, one per service. Stops
    /// these processes afterwards, and requires that they exit with status 0 within 30 s.
    ///
    /// - Parameter start: starts the process of a service.
    func replacing(
        _ services: [String], _ run: FaultRun, with start: @Loop (String) throws -> ChildProcess,
        _ body: @Loop () async throws -> Void
    ) async throws {
        var copies: [(service: String, process: ChildProcess)] = []
        let result: Result<Void, any Error>
        do {
            for service in services { copies.append((service, try start(service))) }
            // A copy is ready when its queue has one consumer more, so the ordinary workers stop afterwards.
            try await awaitConsumers(services)
            for service in services { try await stack.scale(service, 0) }
            try await body()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        for service in services { try await stack.scale(service, Self.workers) }
        for (service, process) in copies {
            process.send(SIGTERM)
            let status = try await process.waitForExit(within: .seconds(30))
            run.require(status == 0, "the \(service) worker ended with status \(status) after SIGTERM")
            process.removeFiles()
        }
        try result.get()
    }

    /// Waits until a further process of each service consumes.
    private func awaitConsumers(_ services: [String]) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let queues = try await broker.queues()
            let ready = services.allSatisfy { service in
                queues.contains { $0.name.hasPrefix("\(service).") && $0.consumers > Self.workers }
            }
            if ready { return }
            guard .now < deadline else { throw ChaosError("the copies of \(services) do not consume after 20 s") }
            try await Loop.sleep(for: .milliseconds(200))
        }
    }
}
