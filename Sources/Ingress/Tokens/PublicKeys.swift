internal import Contracts
internal import JWTKit
internal import Reactor

/// The public keys that verify access tokens, read from a JSON Web Key Set (RFC 7517).
struct PublicKeys: Sendable {
    /// The key set to publish, in JSON. It contains only the public members of each key, even if the source has other
    /// members.
    let document: [UInt8]
    private let algorithms: [String: any JWTAlgorithm]

    /// Parses a key set.
    ///
    /// - Parameter jwks: `{"keys": [{"kty": "EC", "crv": "P-256", "kid", "x", "y"}, …]}`.
    /// - Throws: ``ParseError`` if the key set is malformed or empty, or if a key is not an ES256 signature key, is
    ///   private, or has no unique `kid`.
    init(jwks: String) async throws(ParseError) {
        guard let json = try? JSON.parse(Array(jwks.utf8)), let members = json["keys"]?.array, !members.isEmpty else {
            throw ParseError("must be a JSON Web Key Set with at least one key")
        }
        var keys: [Key] = []
        for member in members {
            let key = try Key(member)
            guard !keys.contains(where: { $0.id == key.id }) else {
                throw ParseError("must not contain two keys with the same kid")
            }
            keys.append(key)
        }
        var algorithms: [String: any JWTAlgorithm] = [:]
        for key in keys { algorithms[key.id] = try await key.algorithm() }
        self.algorithms = algorithms
        document = JSONWriter.bytes { writer in
            writer.object { writer in
                writer.name("keys")
                writer.array(of: keys) { $1.write(to: &$0) }
            }
        }
    }

    /// Returns the algorithm that verifies the signatures of a key; `nil` if no key has this `kid`.
    func algorithm(of id: String) -> (any JWTAlgorithm)? {
        algorithms[id]
    }
}

/// One ES256 key: a point on the curve P-256.
private struct Key {
    let id: String
    let x: String
    let y: String

    init(_ json: JSON) throws(ParseError) {
        guard let id = json["kid"]?.string, !id.isEmpty else {
            throw ParseError("must not contain a key without a kid")
        }
        guard json["kty"]?.string == "EC", json["crv"]?.string == "P-256", json["alg"]?.string ?? "ES256" == "ES256",
            json["use"]?.string ?? "sig" == "sig", let x = json["x"]?.string, let y = json["y"]?.string
        else { throw ParseError("must contain only ES256 signature keys") }
        guard json["d"] == nil else { throw ParseError("must not contain a private key") }
        (self.id, self.x, self.y) = (id, x, y)
    }

    func algorithm() async throws(ParseError) -> any JWTAlgorithm {
        do {
            let key = try ES256PublicKey(parameters: (x: x, y: y))
            return try await JWTKeyCollection().add(ecdsa: key).getKey()
        } catch {
            throw ParseError("must contain only keys that are points on the curve P-256")
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, value) in [
                ("kty", "EC"), ("crv", "P-256"), ("use", "sig"), ("alg", "ES256"), ("kid", id), ("x", x), ("y", y),
            ] {
                writer.name(name)
                writer.string(value)
            }
        }
    }
}
