internal import Contracts
internal import Crypto
internal import FoundationEssentials
internal import Reactor
internal import WorkerKit

/// Makes and verifies the tokens with which clients read the receipts of their commands.
///
/// A token has the id of a command, the time at which it was accepted, and an authentication code (HMAC-SHA256) of the
/// two, the service and the caller. Therefore only the caller can use it, and no client can make one up.
struct ReceiptTokens: Sendable {
    /// The shortest key, in bytes.
    static let minimumKeyLength = 32
    /// The size of the id and the time.
    private static let contentSize = 16 + 8

    /// The content of a valid token.
    struct Content: Sendable, Hashable {
        /// The message id of the command.
        let id: UUID
        /// The time at which the command was accepted, by the clock of the ingress that sent it.
        let acceptedAt: Timestamp
    }

    private let keys: [SymmetricKey]

    /// Takes the keys that all ingresses share. New tokens are made with the first key. The others are former keys.
    ///
    /// - Throws: `ParseError` if there is no key, or if a key is shorter than ``minimumKeyLength``.
    init(keys: [String]) throws(ParseError) {
        guard !keys.isEmpty, keys.allSatisfy({ $0.utf8.count >= Self.minimumKeyLength }) else {
            throw ParseError("must be keys of at least \(Self.minimumKeyLength) bytes, separated by commas")
        }
        self.keys = keys.map { SymmetricKey(data: Array($0.utf8)) }
    }

    /// Makes the token of a command.
    func token(for command: OutgoingRequest, acceptedAt: Timestamp) -> String {
        let content = Self.bytes(command.id.octets) + Self.bytes(acceptedAt.milliseconds.bigEndian)
        let data = Self.authenticatedData(content, command.type.service, command.caller)
        return Base64URL.encode(content + HMAC<SHA256>.authenticationCode(for: data, using: keys[0]))
    }

    /// Verifies a token.
    ///
    /// - Returns: `nil` if the token was not made for this service and caller with one of the keys.
    func content(of token: String, service: ServiceName, caller: Caller?) -> Content? {
        guard let bytes = Base64URL.decode(token.utf8), bytes.count > Self.contentSize else { return nil }
        let (content, code) = (bytes[..<Self.contentSize], bytes[Self.contentSize...])
        let data = Self.authenticatedData(Array(content), service, caller)
        guard
            keys.contains(where: { HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: data, using: $0) })
        else { return nil }
        var octets = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<16 { octets[index] = content[index] }
        let milliseconds = content.dropFirst(16).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return Content(id: UUID(octets: octets), acceptedAt: Timestamp(milliseconds: milliseconds))
    }

    /// All parts but the name of the service have a fixed length, so different tokens have different data.
    private static func authenticatedData(
        _ content: [UInt8], _ service: ServiceName, _ caller: Caller?
    ) -> [UInt8] {
        let account = caller.map { bytes($0.id.octets) } ?? Array(repeating: 0, count: 16)
        return content + account + Array(service.rawValue.utf8)
    }

    private static func bytes(_ value: some BitwiseCopyable) -> [UInt8] {
        withUnsafeBytes(of: value) { Array($0) }
    }
}
