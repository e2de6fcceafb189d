internal import Crypto
internal import Reactor

/// The SHA-256 of a command's body, and of its description if it has one. It distinguishes commands that have the same
/// id.
enum Fingerprint {
    /// Bodies up to this size are hashed on the loop, because moving the work to another thread would take longer.
    private static let maximumSizeOnLoop = 64 * 1024

    /// Keeps the fingerprint of one message.
    @Loop final class Cache {
        fileprivate var value: [UInt8]?

        nonisolated init() {}
    }

    @Loop static func of(_ message: IncomingMessage) async -> [UInt8] {
        if let value = message.fingerprint.value { return value }
        let body = message.body
        var fingerprint = body.count > maximumSizeOnLoop ? await offLoop { hash(body) } : hash(body)
        if let description = message.description { fingerprint = hash(fingerprint + description.utf8) }
        message.fingerprint.value = fingerprint
        return fingerprint
    }

    private static func hash(_ body: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: body)) }
}
