internal import Contracts
internal import FoundationEssentials
internal import WorkerKit

extension OutgoingRequest {
    /// Applies the fields that a client may send with a command: `Idempotency-Key` and `Prefer`.
    ///
    /// - Throws: `malformed-request` if the key is malformed.
    mutating func applyCommandFields(_ fields: RequestFields) throws(Problem) {
        if let key = fields.idempotencyKey, let caller { id = try IdempotencyKey.messageID(key, of: caller) }
        awaitsReply = !Preferences(fields.prefer).respondAsync
    }
}

/// The `Idempotency-Key` field. If a caller sends a command with the key of an earlier command, the command is a retry
/// and gets the stored reply.
enum IdempotencyKey {
    /// The UUID namespace of the message ids that are made from keys.
    private static let namespace = UUID(
        uuid: (0xA0, 0x33, 0x93, 0xDE, 0x9B, 0xDD, 0x43, 0x3F, 0xB1, 0xB4, 0xA3, 0x3E, 0xB1, 0xCA, 0x01, 0x68))

    /// Returns the message id for a caller and a key: the UUIDv5 of the caller's id and the key.
    ///
    /// - Parameter key: 1 to 200 visible ASCII characters. The key is not parsed as a structured field.
    /// - Throws: `malformed-request` for any other key.
    static func messageID(_ key: String, of caller: Caller) throws(Problem) -> UUID {
        guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(.malformedRequest, detail: "The Idempotency-Key must be 1 to 200 visible ASCII characters.")
        }
        // Account ids have a fixed length, so different pairs of caller and key yield different names.
        return .v5(namespace: namespace, name: caller.id.text + key)
    }
}

/// The `Prefer` field (RFC 7240). Unknown preferences are ignored.
struct Preferences: Sendable, Hashable {
    /// Whether the client wants a 202 response as soon as the command is accepted, instead of the worker's reply.
    let respondAsync: Bool

    /// - Parameter field: the value of the `Prefer` field; several fields are joined by commas. If a preference occurs
    ///   twice, the first one counts.
    init(_ field: String?) {
        guard let field, let items = FieldText.split(field[...], at: UInt8(ascii: ",")) else {
            respondAsync = false
            return
        }
        // The parameters after a semicolon are ignored. The preference has no value, so any value makes it invalid.
        let names = items.compactMap { FieldText.split($0, at: UInt8(ascii: ";"))?.first.map(FieldText.pair) }
        respondAsync = names.first { $0.name == "respond-async" }.map(\.value.isEmpty) ?? false
    }
}
