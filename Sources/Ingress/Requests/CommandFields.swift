internal import Contracts
internal import FoundationEssentials
internal import WorkerKit

/// The key by which a client says that a command is one that it may have sent before.
enum IdempotencyKey {
    /// Of the message ids that are made of keys.
    private static let namespace = UUID(
        uuid: (0xA0, 0x33, 0x93, 0xDE, 0x9B, 0xDD, 0x43, 0x3F, 0xB1, 0xB4, 0xA3, 0x3E, 0xB1, 0xCA, 0x01, 0x68))

    /// The message id of all commands that a caller sends to a service with the same key.
    ///
    /// - Parameter key: 1 to 200 visible ASCII characters, taken as they are.
    /// - Throws: `malformed-request` for any other key.
    static func messageID(_ key: String, of caller: Caller) throws(Problem) -> UUID {
        guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(.malformedRequest, detail: "The Idempotency-Key must be 1 to 200 visible ASCII characters.")
        }
        // An account's id has a length of its own: no two pairs of caller and key make one name.
        return .v5(namespace: namespace, name: caller.id.text + key)
    }
}
