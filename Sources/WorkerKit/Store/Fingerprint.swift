internal import Crypto
internal import Reactor

/// The SHA-256 of a command's body. It distinguishes commands that have the same id.
enum Fingerprint {
    /// Bodies up to this size are hashed on the loop, because moving the work to another thread would take longer.
    private static let maximumSizeOnLoop = 64 * 1024

    @Loop static func of(_ body: [UInt8]) async -> [UInt8] {
        body.count > maximumSizeOnLoop ? await offLoop { hash(body) } : hash(body)
    }

    private static func hash(_ body: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: body)) }
}
