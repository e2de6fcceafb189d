internal import Crypto
internal import Reactor

/// What tells one command's body from another's: its SHA-256.
enum Fingerprint {
    /// Bodies up to this size are hashed where they are: leaving the loop would cost more.
    private static let small = 64 * 1024

    @Loop static func of(_ body: [UInt8]) async -> [UInt8] {
        guard body.count > small else { return hash(body) }
        // A concurrent function alone would stay on the loop, which is what the daemon's tasks prefer.
        return await withTaskExecutorPreference(globalConcurrentExecutor) { await hashElsewhere(body) }
    }

    private static func hash(_ body: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: body)) }

    @concurrent private static func hashElsewhere(_ body: [UInt8]) async -> [UInt8] { hash(body) }
}
