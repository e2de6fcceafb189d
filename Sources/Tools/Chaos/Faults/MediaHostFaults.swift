import Contracts
import FaultProxy
import Reactor

/// Faults of Cloudinary. Uploads and deletions of pictures get a 202 meanwhile, and all other requests succeed.
enum MediaHostFaults {
    static let all = [slow, failing, cut, away]

    private static let slow = fault(
        "media-host-slow", "Cloudinary needs 30 s for each request", ["delayMilliseconds": 30_000], seconds: 20...30)

    private static let failing = fault(
        "media-host-failing", "Cloudinary answers all requests with 503", ["status": 503], seconds: 10...20)

    private static let cut = fault(
        "media-host-cut", "Cloudinary stores the pictures, but cuts the connection before it answers",
        ["cut": true, "after": true], seconds: 5...10)

    private static let away = Fault(
        name: "media-host-away", summary: "Cloudinary does not accept connections", targets: [.mediaHost],
        delayed: [.media]
    ) { world, run in
        try await run.perform(refusing: [world.proxies.cloudinary], for: .seconds(15))
    }

    private static func fault(
        _ name: String, _ summary: String, _ rule: JSON, seconds: ClosedRange<Double>
    ) -> Fault {
        Fault(name: name, summary: summary, targets: [.mediaHost], delayed: [.media]) { world, run in
            try await run.perform(
                cause: { try await world.mediaHost.set(faults: [rule]) },
                undo: { try await world.mediaHost.removeFaults() },
                { try await world.sleep(seconds: seconds) })
        }
    }
}
