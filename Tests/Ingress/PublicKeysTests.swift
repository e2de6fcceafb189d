import Contracts
import Testing

@testable import Ingress

@Suite("The public keys")
struct PublicKeysTests {
    private func fault(_ text: String) async -> String? {
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

    @Test("a set is published with what is public and nothing else")
    func published() async throws {
        let keys = try await PublicKeys(jwks: try await keySet { $0["comment"] = "internal" })
        let document = String(decoding: keys.document, as: UTF8.self)
        #expect(document.hasPrefix(#"{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"test","x":""#))
        #expect(!document.contains("comment"))
        _ = try await PublicKeys(jwks: document)
    }

    @Test("a private key is refused, so that it is never published")
    func privateKey() async throws {
        #expect(await fault(try await keySet { $0["d"] = "AAAA" }) == "has a private key")
    }

    @Test("what is no key set is refused with a reason that repeats nothing of it")
    func malformed() async throws {
        for text in ["", "{}", "[]", #"{"keys":[]}"#, #"{"keys":{}}"#, "secret"] {
            #expect(await fault(text) == "is not a JSON Web Key Set with at least one key")
        }
        #expect(await fault(try await keySet { $0["kid"] = nil }) == "has a key without a kid")
        #expect(await fault(try await keySet { $0["kty"] = "RSA" }) == "has a key that is no ES256 signature key")
        #expect(await fault(try await keySet { $0["crv"] = "P-384" }) == "has a key that is no ES256 signature key")
        #expect(await fault(try await keySet { $0["use"] = "enc" }) == "has a key that is no ES256 signature key")
        #expect(await fault(try await keySet { $0["x"] = "AAAA" }) == "has a key that is no point of its curve")
        #expect(await fault(try await keySet { $0["y"] = $0["x"] }) == "has a key that is no point of its curve")
    }

    @Test("two keys of the same name are refused")
    func sameName() async throws {
        let maker = try await TokenMaker()
        let key = try #require(try maker.keySet["keys"]?.array?.first)
        let twice = JSON.object(JSONObject([.init(name: "keys", value: .array([key, key]))])).serialized()
        #expect(await fault(String(decoding: twice, as: UTF8.self)) == "has two keys of the same kid")
    }
}
