import Contracts
import Reactor
import Testing

@testable import Ingress

@Suite("Public keys for access tokens")
struct PublicKeysTests {
    private func error(_ text: String) async -> String? {
        do {
            _ = try await PublicKeys(jwks: text)
            return nil
        } catch {
            return error.description
        }
    }

    private func keySet(_ change: (inout [String: JSON]) -> Void) async throws -> String {
        let maker = try await TokenMaker()
        guard case .object(let object)? = try maker.keySet["keys"]?.array?.first else { return "" }
        var members = Dictionary(uniqueKeysWithValues: object.members.map { ($0.name, $0.value) })
        change(&members)
        let key = JSON.object(JSONObject(members.map { JSONObject.Member(name: $0.key, value: $0.value) }))
        return String(
            decoding: JSON.object(JSONObject([.init(name: "keys", value: [key])])).serialized(), as: UTF8.self)
    }

    @Test("the published key set contains only the public members of each key")
    func published() async throws {
        let keys = try await PublicKeys(jwks: try await keySet { $0["comment"] = "internal" })
        let document = String(decoding: keys.document, as: UTF8.self)
        #expect(document.hasPrefix(#"{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"test","x":""#))
        #expect(!document.contains("comment"))
        _ = try await PublicKeys(jwks: document)
    }

    @Test("a key set with a private key is refused, so that the key is never published")
    func privateKey() async throws {
        #expect(await error(try await keySet { $0["d"] = "AAAA" }) == "must not contain a private key")
    }

    @Test("a malformed key set is refused with a reason that does not repeat its content")
    func malformed() async throws {
        for text in ["", "{}", "[]", #"{"keys":[]}"#, #"{"keys":{}}"#, "secret"] {
            #expect(await error(text) == "must be a JSON Web Key Set with at least one key")
        }
        #expect(await error(try await keySet { $0["kid"] = nil }) == "must not contain a key without a kid")
        #expect(await error(try await keySet { $0["kty"] = "RSA" }) == "must contain only ES256 signature keys")
        #expect(await error(try await keySet { $0["crv"] = "P-384" }) == "must contain only ES256 signature keys")
        #expect(await error(try await keySet { $0["use"] = "enc" }) == "must contain only ES256 signature keys")
        #expect(
            await error(try await keySet { $0["x"] = "AAAA" })
                == "must contain only keys that are points on the curve P-256")
        #expect(
            await error(try await keySet { $0["y"] = $0["x"] })
                == "must contain only keys that are points on the curve P-256")
    }

    @Test("a key set with two keys of the same kid is refused")
    func duplicateKid() async throws {
        let maker = try await TokenMaker()
        let key = try #require(try maker.keySet["keys"]?.array?.first)
        let twice = JSON.object(JSONObject([.init(name: "keys", value: .array([key, key]))])).serialized()
        #expect(await error(String(decoding: twice, as: UTF8.self)) == "must not contain two keys with the same kid")
    }
}
