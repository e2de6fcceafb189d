import Contracts
import Crypto
import DatabaseSupport
import Foundation
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Signing keys", .timeLimit(.minutes(1)))
struct KeyTests {
    @Test("`warren keys new` writes a private key that only its owner can read, and its public half")
    func newKeys() async throws {
        try await WarrenCommand.withDirectory { directory in
            let made = try await WarrenCommand.run(["keys", "new", directory])
            #expect(made.status == 0)
            #expect(made.output.contains("\(directory)/signing-key.pem"))
            #expect(made.output.contains("\(directory)/jwks.json"))
            #expect(!made.output.contains("PRIVATE"))
            #expect(try permissions("\(directory)/signing-key.pem") == 0o600)
            #expect(try permissions("\(directory)/jwks.json") == 0o644)
            #expect(
                try Set(FileManager.default.contentsOfDirectory(atPath: directory)) == ["signing-key.pem", "jwks.json"])

            let settings = Settings(environment: ["WARREN_SIGNING_KEY_FILE": "\(directory)/signing-key.pem"])
            let key = try settings.parsed("WARREN_SIGNING_KEY") { try SigningKey(pem: $0) }
            let published = try JSON.parse([UInt8](Data(contentsOf: URL(filePath: "\(directory)/jwks.json"))))
            #expect(published == (try JSON.parse(KeySet([key.publicKey]).document)))
            #expect(published["keys"]?.array?.count == 1)
        }
    }

    @Test("`warren keys new` replaces existing keys only with --force")
    func refusal() async throws {
        try await WarrenCommand.withDirectory { directory in
            #expect(try await WarrenCommand.run(["keys", "new", directory]).status == 0)
            let key = try Data(contentsOf: URL(filePath: "\(directory)/signing-key.pem"))
            let keySet = try Data(contentsOf: URL(filePath: "\(directory)/jwks.json"))

            let refused = try await WarrenCommand.run(["keys", "new", directory])
            #expect(refused.status != 0)
            #expect(refused.output.contains("--force"))
            #expect(try Data(contentsOf: URL(filePath: "\(directory)/signing-key.pem")) == key)
            #expect(try Data(contentsOf: URL(filePath: "\(directory)/jwks.json")) == keySet)

            #expect(try await WarrenCommand.run(["keys", "new", directory, "--force"]).status == 0)
            #expect(try Data(contentsOf: URL(filePath: "\(directory)/signing-key.pem")) != key)
            #expect(try Data(contentsOf: URL(filePath: "\(directory)/jwks.json")) != keySet)
            #expect(try permissions("\(directory)/signing-key.pem") == 0o600)
        }
    }

    @Test("a key's identifier is its RFC 7638 thumbprint, for a private key in SEC 1 and in PKCS #8 form")
    func thumbprint() throws {
        // The key of RFC 7515, appendix A.3; its thumbprint was computed with another program.
        let secret = try #require(Data(base64Encoded: "jpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LI="))
        let sec1 =
            Data([0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20]) + secret
            + Data([0xA0, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07])
        let lines = sec1.base64EncodedString(options: .lineLength64Characters)
        let key = try SigningKey(pem: "-----BEGIN EC PRIVATE KEY-----\n\(lines)\n-----END EC PRIVATE KEY-----\n")
        #expect(key.publicKey.identifier == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")
        #expect(key.pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(try SigningKey(pem: key.pem).publicKey == key.publicKey)
    }

    @Test(
        "a signing key that is not a P-256 private key is a settings error that does not quote it",
        arguments: ["", "secret", P384.Signing.PrivateKey().pemRepresentation])
    func malformed(_ text: String) {
        let settings = Settings(environment: ["WARREN_SIGNING_KEY": text])
        let fault = #expect(throws: SettingsError.self) {
            try settings.parsed("WARREN_SIGNING_KEY") { try SigningKey(pem: $0) }
        }
        #expect(fault?.variable == "WARREN_SIGNING_KEY")
        #expect(text.isEmpty || fault?.reason.contains(text) == false)
    }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
}
