import Contracts
import Foundation
import Glibc
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Signing keys", .timeLimit(.minutes(3))) struct SigningKeys {
        @Test("a key rotation ends no session if ingresses get the new public key before the new key signs a token")
        @Loop func rotation() async throws {
            let stack = try Stack()
            let keys = try KeyCopy(stack)
            defer { keys.remove() }
            let person = try await TestAccount.register(APIClient())

            try await keys.run("prepare")
            try await stack.withIngress(["WARREN_VERIFY_KEYS_FILE": keys.path("jwks.json")]) { client in
                try await client.signedIn(as: person).get("/v1/accounts/me").expect(200)
                try await keys.run("rotate")
                try await withIdentity(stack, keys) {
                    let session = try await client.post("/v1/auth/login", person.credentials).expect(200)
                    let new = try TestAccount(username: person.username, password: person.password, session: session)
                    #expect(try keyID(new.accessToken) != keyID(person.accessToken))
                    for bearer in [person, new] {
                        try await client.signedIn(as: bearer).get("/v1/accounts/me").expect(200)
                        let refresh: JSON = ["refreshToken": .string(bearer.refreshToken)]
                        try await client.post("/v1/auth/refresh", refresh).expect(200)
                    }
                    // The stack's ingress has only the old public key, so it refuses tokens of the new key.
                    try await APIClient().signedIn(as: new).get("/v1/accounts/me").expectProblem(401, "invalid-token")

                    try await keys.run("prune", "--now")
                    try await stack.withIngress(["WARREN_VERIFY_KEYS_FILE": keys.path("jwks.json")]) { client in
                        try await client.signedIn(as: new).get("/v1/accounts/me").expect(200)
                        try await client.signedIn(as: person).get("/v1/accounts/me").expectProblem(401, "invalid-token")
                        let published = try await client.get("/.well-known/jwks.json").expect(200)
                        #expect(published["keys"]?.array?.map { $0["kid"]?.string } == [try keyID(new.accessToken)])
                    }
                }
            }
            try await APIClient().post("/v1/auth/login", person.credentials).expect(200)
        }

        /// A copy of the stack's keys, and the command that replaces them.
        private struct KeyCopy {
            let folder: URL
            let program: String

            init(_ stack: Stack) throws {
                folder = FileManager.default.temporaryDirectory.appending(path: "warren-keys-\(UUID().uuidString)")
                try FileManager.default.copyItem(at: URL(filePath: stack.state).appending(path: "keys"), to: folder)
                program = try stack.warrenCommand()
            }

            func path(_ name: String) -> String { folder.appending(path: name).path }

            func run(_ command: String, _ options: String...) async throws {
                try await Program(path: program, arguments: ["keys", command, folder.path] + options)
                    .runSuccessfully()
            }

            func remove() { try? FileManager.default.removeItem(at: folder) }
        }

        /// Runs a body while an identity worker with the signing key of `keys` replaces the stack's identity worker.
        @Loop private func withIdentity(
            _ stack: Stack, _ keys: KeyCopy, _ body: @Loop () async throws -> Void
        ) async throws {
            let identity = try await stack.startReadyWorker(
                "identity", ["WARREN_SIGNING_KEY_FILE": keys.path("signing-key.pem")])
            try await identity.stop {
                try await stack.scale("identity", 0)
                let result = await outcome { try await body() }
                try await stack.scale("identity", 1)
                try result.get()
            }
        }

        /// Returns the id (`kid`) of the key that signed an access token.
        private func keyID(_ token: String) throws -> String {
            let header = try #require(token.split(separator: ".").first)
            return try JSON.parse(try #require(Base64URL.decode(header.utf8))).text("kid")
        }
    }
}
