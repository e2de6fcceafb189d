import Contracts
import FaultProxy
import Foundation
import Glibc
import LocalStack
import Reactor
import TestSupport
import Testing

extension Stack {
    private static let startLimit: Duration = .seconds(20)

    /// Starts another worker of a service, with the settings of the stack's first worker, and waits until it is ready.
    ///
    /// - Parameter changes: as for ``startCopy(of:_:)``.
    @Loop func startReadyWorker(_ service: String, _ changes: [String: String] = [:]) async throws -> ChildProcess {
        let variable = "WARREN_HEALTH_FILE"
        var changes = changes
        let healthFile = changes[variable] ?? Self.temporaryPath("health")
        changes[variable] = healthFile
        let worker = try startCopy(of: "\(service)-1", changes)
        let isReady = try await eventually(within: Self.startLimit) {
            FileManager.default.fileExists(atPath: healthFile)
        }
        if !isReady { worker.send(SIGKILL) }
        try #require(isReady, "\(worker.errors.suffix(2000))")
        return worker
    }

    /// Starts another ingress on a port of its own, and waits until it is connected to the broker and Redis.
    ///
    /// - Parameter changes: as for ``startCopy(of:_:)``.
    @Loop func startReadyIngress(
        _ changes: [String: String] = [:]
    ) async throws -> (process: ChildProcess, client: APIClient) {
        let port = try freePort()
        let address = ["WARREN_HTTP_ADDRESS": "127.0.0.1:\(port)"]
        let ingress = try startCopy(of: "ingress-1", address.merging(changes) { $1 })
        let client = try APIClient(url: "http://127.0.0.1:\(port)")
        let isReady = try await eventually(within: Self.startLimit) {
            guard let ready = try? await client.get("/health/ready") else { return false }
            return try ready.status == 200 && ready.json["redis"]?.string == "up"
        }
        if !isReady { ingress.send(SIGKILL) }
        try #require(isReady, "\(ingress.errors.suffix(2000))")
        return (ingress, client)
    }

    /// Starts another worker or ingress, and waits until it is ready.
    @Loop func startReady(_ service: String) async throws -> ChildProcess {
        service == "ingress" ? try await startReadyIngress().process : try await startReadyWorker(service)
    }

    /// Runs another ingress while the body runs, then stops it and checks its exit status.
    @Loop func withIngress(
        _ changes: [String: String], _ body: @Loop (APIClient) async throws -> Void
    ) async throws {
        let (ingress, client) = try await startReadyIngress(changes)
        try await ingress.stop { try await body(client) }
    }

    /// Returns the path of a temporary file that does not exist yet.
    static func temporaryPath(_ prefix: String) -> String {
        FileManager.default.temporaryDirectory.appending(path: "\(prefix)-\(UUID().uuidString)")
            .path(percentEncoded: false)
    }
}

extension ChildProcess {
    /// Runs the body, then sends SIGTERM and checks that the process ends with status 0.
    @Loop func stop(after body: @Loop () async throws -> Void) async throws {
        defer { removeFiles() }
        let result = await outcome { try await body() }
        send(SIGTERM)
        let status = try await waitForExit()
        try result.get()
        #expect(status == 0, "\(errors.suffix(2000))")
    }
}
