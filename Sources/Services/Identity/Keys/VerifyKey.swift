internal import Contracts
internal import Crypto

/// The public half of a signing key, as a JSON Web Key (RFC 7517; for the curve, RFC 7518, section 6.2).
package struct VerifyKey: Sendable, Hashable {
    private let x: String
    private let y: String

    init(_ key: P256.Signing.PublicKey) {
        // The coordinates, 32 bytes each.
        let point = key.rawRepresentation
        x = Base64URL.encode(point.prefix(32))
        y = Base64URL.encode(point.suffix(32))
    }

    /// The key's name in tokens, `kid`: its thumbprint (RFC 7638).
    package var identifier: String {
        // The members that the thumbprint is made of, in the order of section 3.2; their values need no escapes.
        let members = #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
        return Base64URL.encode(SHA256.hash(data: Array(members.utf8)))
    }

    /// A key set of several keys (RFC 7517, section 5): while keys are exchanged, there are two.
    package static func keySet(_ keys: [VerifyKey]) -> [UInt8] {
        JSONWriter.bytes { writer in
            writer.object {
                $0.name("keys")
                $0.array(of: keys) { writer, key in key.write(to: &writer) }
            }
        }
    }

    private func write(to writer: inout JSONWriter) {
        writer.object {
            for (name, value) in [
                ("kty", "EC"), ("crv", "P-256"), ("x", x), ("y", y), ("use", "sig"), ("alg", "ES256"),
                ("kid", identifier),
            ] {
                $0.name(name)
                $0.string(value)
            }
        }
    }
}
