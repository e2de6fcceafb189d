internal import Contracts
internal import JWTKit

/// The public keys that access tokens are verified with, from a JSON Web Key Set (RFC 7517).
struct PublicKeys: Sendable {
    /// A key set that cannot be used; says what is wrong and repeats nothing of it.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// The set as it is published: only what is public, whatever else the source holds.
    let document: [UInt8]
    private let algorithms: [String: any JWTAlgorithm]

    /// Reads a key set.
    ///
    /// - Parameter jwks: `{"keys": [{"kty": "EC", "crv": "P-256", "kid", "x", "y"}, …]}`.
    /// - Throws: ``Malformed`` where it is no such set, a key is of another kind, private, or without a name of its own.
    init(jwks: String) async throws(Malformed) {
        guard let json = try? JSON.parse(Array(jwks.utf8)), let members = json["keys"]?.array, !members.isEmpty else {
            throw Malformed(description: "is not a JSON Web Key Set with at least one key")
        }
        var keys: [Key] = []
        for member in members {
            let key = try Key(member)
            guard !keys.contains(where: { $0.id == key.id }) else {
                throw Malformed(description: "has two keys of the same kid")
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

    /// The verifier of a key's signatures; nothing where no key has that name.
    func algorithm(of id: String) -> (any JWTAlgorithm)? {
        algorithms[id]
    }
}

/// One key of the set: a point of the curve P-256.
private struct Key {
    let id: String
    let x: String
    let y: String

    init(_ json: JSON) throws(PublicKeys.Malformed) {
        guard let id = json["kid"]?.string, !id.isEmpty else {
            throw PublicKeys.Malformed(description: "has a key without a kid")
        }
        guard json["kty"]?.string == "EC", json["crv"]?.string == "P-256", json["alg"]?.string ?? "ES256" == "ES256",
            json["use"]?.string ?? "sig" == "sig", let x = json["x"]?.string, let y = json["y"]?.string
        else { throw PublicKeys.Malformed(description: "has a key that is no ES256 signature key") }
        guard json["d"] == nil else { throw PublicKeys.Malformed(description: "has a private key") }
        (self.id, self.x, self.y) = (id, x, y)
    }

    func algorithm() async throws(PublicKeys.Malformed) -> any JWTAlgorithm {
        do {
            let key = try ES256PublicKey(parameters: (x: x, y: y))
            return try await JWTKeyCollection().add(ecdsa: key).getKey()
        } catch {
            throw PublicKeys.Malformed(description: "has a key that is no point of its curve")
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
