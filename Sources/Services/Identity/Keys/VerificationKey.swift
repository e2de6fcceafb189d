internal import Contracts
internal import Crypto

/// The public half of a signing key, as a JSON Web Key (RFC 7517; for the curve, RFC 7518, section 6.2).
package struct VerificationKey: Sendable, Hashable {
    private let x: String
    private let y: String

    init(_ key: P256.Signing.PublicKey) {
        // The raw representation is the two coordinates, 32 bytes each.
        let point = key.rawRepresentation
        x = Base64URL.encode(point.prefix(32))
        y = Base64URL.encode(point.suffix(32))
    }

    /// Decodes a key that ``write(to:expiry:)`` wrote.
    ///
    /// Returns `nil` if the key is private, has another type or curve, or has a `kid` that is not its thumbprint.
    init?(_ json: JSON) {
        guard json["kty"]?.string == "EC", json["crv"]?.string == "P-256", json["d"] == nil,
            let x = json["x"]?.string, let y = json["y"]?.string, let xBytes = Base64URL.decode(x.utf8),
            let yBytes = Base64URL.decode(y.utf8), xBytes.count == 32, yBytes.count == 32,
            (try? P256.Signing.PublicKey(rawRepresentation: xBytes + yBytes)) != nil
        else { return nil }
        (self.x, self.y) = (x, y)
        guard json["kid"]?.string == identifier else { return nil }
    }

    /// The `kid` of the key in tokens: its thumbprint (RFC 7638).
    package var identifier: String {
        // The required members in the order of RFC 7638, section 3.2; their values need no escapes.
        let members = #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
        return Base64URL.encode(SHA256.hash(data: Array(members.utf8)))
    }

    /// Writes the key as a JSON object.
    ///
    /// - Parameter expiry: the value of the member `exp`; if `nil`, the object has no such member.
    func write(to writer: inout JSONWriter, expiry: Timestamp?) {
        writer.object {
            for (name, value) in [
                ("kty", "EC"), ("crv", "P-256"), ("x", x), ("y", y), ("use", "sig"), ("alg", "ES256"),
                ("kid", identifier),
            ] {
                $0.name(name)
                $0.string(value)
            }
            guard let expiry else { return }
            $0.name("exp")
            $0.integer(Int(expiry.milliseconds / 1000))
        }
    }
}
