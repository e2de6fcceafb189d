internal import Crypto
internal import Reactor

/// The SHA-256 of a command's body, which tells commands with the same id apart.
enum Fingerprint {
    /// Bodies up to this size are hashed on the loop, because leaving it would take longer.
    private static let small = 64 * 1024

    @Loop static func of(_ body: [UInt8]) async -> [UInt8] {
        guard body.count > small else { return hash(body) }
        // Without this preference a concurrent function would also run on the loop, which the daemon's tasks prefer.
        return await withTaskExecutorPreference(globalConcurrentExecutor) { await hashElsewhere(body) }
    }

    private static func hash(_ body: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: body)) }

    @concurrent private static func hashElsewhere(_ body: [UInt8]) async -> [UInt8] { hash(body) }
}
