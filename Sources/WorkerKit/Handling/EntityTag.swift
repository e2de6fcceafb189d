internal import Contracts
internal import Crypto

/// Computes entity tags of reply bodies.
package enum EntityTag {
    /// The length of every tag: two quotation marks and 22 characters, which are 128 bits in base64url.
    package static let length = 24

    /// Returns the strong entity tag of a body (RFC 9110, section 8.8.3): 128 bits of its SHA-256, so that all workers
    /// return the same tag for the same body.
    package static func of(_ body: [UInt8]) -> String {
        "\"" + Base64URL.encode(Array(SHA256.hash(data: body).prefix(16))) + "\""
    }
}
