internal import Contracts
internal import Crypto

/// The entity tag of what is shown (RFC 9110, section 8.8.3): equal for equal bytes, whoever has written them.
enum EntityTag {
    /// How much of the digest is kept: with 128 bits no two bodies have the same tag.
    private static let size = 16

    static func of(_ body: [UInt8]) -> String {
        "\"" + Base64URL.encode(Array(SHA256.hash(data: body).prefix(size))) + "\""
    }
}
