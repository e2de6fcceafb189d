import ChaosKit
import Contracts
import FaultProxy
import Reactor

/// Faults of Cloudinary. Uploads and deletions of pictures may get a 202. All other requests must succeed.
enum MediaHostFaults {
    static let all = [slow, failing, cut, away]

    /// Deletions and uploads of pictures wait for Cloudinary.
    static let allowance = Allowance(delayed: [.media], evidence: .slowness(.seconds(1), of: "POST /v1/media"))

    private static let slow = fault(
        "media-host-slow", "Cloudinary needs 30 s for each request", ["delayMilliseconds": 30_000], seconds: 20...30,
        storesLate: .seconds(31))

    private static let failing = fault(
        "media-host-failing", "Cloudinary answers all requests with 503", ["status": 503], seconds: 10...20)

    /// Longer than the 20 s in which one delivery of an upload tries again, so that further deliveries do, too.
    private static let cut = fault(
        "media-host-cut", "Cloudinary stores the pictures, but cuts the connection before it answers",
        ["cut": true, "after": true], seconds: 25...30)

    private static let away = Fault(
        name: "media-host-away", summary: "Cloudinary does not accept connections", targets: [.mediaHost],
        allowance: allowance
    ) { testbed, run in
        try await run.perform(refusing: [testbed.proxies.cloudinary], for: .seconds(15))
    }

    private static func fault(
        _ name: String, _ summary: String, _ rule: JSON, seconds: ClosedRange<Double>, storesLate: Duration? = nil
    ) -> Fault {
        Fault(
            name: name, summary: summary, targets: [.mediaHost], allowance: allowance, storesLate: storesLate
        ) { testbed, run in
            try await fail(testbed, run, rule) { try await testbed.sleep(seconds: seconds) }
        }
    }

    /// Lets Cloudinary fail by a rule while the body runs.
    @Loop static func fail(
        _ testbed: Testbed, _ run: FaultRun, _ rule: JSON, _ body: @Loop () async throws -> Void
    ) async throws {
        try await run.perform(
            cause: { try await testbed.mediaHost.set(faults: [rule]) },
            undo: { try await testbed.mediaHost.removeFaults() }, body)
    }
}
