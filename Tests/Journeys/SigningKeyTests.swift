import Contracts
import Foundation
import Glibc
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Signing keys", .timeLimit(.minutes(3))) struct SigningKeys {
        @Test(
            "are exchanged while everyone stays logged in: the key set goes to the ingresses first, then the signing key"
        )
        @Loop func exchange() async throws {
            let stack = try Stack()
            let keys = try Keys(stack)
            defer { keys.remove() }
            let person = try await Person.register(Client())

            try await keys.run("prepare")
            try await withIngress(stack, keys) { client in
                try await client.by(person).get("/v1/accounts/me").expect(200)
                try await keys.run("rotate")
                try await withIdentity(stack, keys) {
                    let session = try await client.post("/v1/auth/login", person.credentials).expect(200)
                    let new = try Person(username: person.username, password: person.password, session: session)
                    #expect(try keyName(new.accessToken) != keyName(person.accessToken))
                    for bearer in [person, new] {
                        try await client.by(bearer).get("/v1/accounts/me").expect(200)
                        let refresh: JSON = ["refreshToken": .string(bearer.refreshToken)]
                        try await client.post("/v1/auth/refresh", refresh).expect(200)
                    }
                    // The order matters: an ingress that has not the new set yet refuses the new key's tokens.
                    try await Client().by(new).get("/v1/accounts/me").expectProblem(401, "invalid-token")

                    try await keys.run("prune", "--now")
                    try await withIngress(stack, keys) { client in
                        try await client.by(new).get("/v1/accounts/me").expect(200)
                        try await client.by(person).get("/v1/accounts/me").expectProblem(401, "invalid-token")
                        let published = try await client.get("/.well-known/jwks.json").expect(200)
                        #expect(published["keys"]?.array?.map { $0["kid"]?.string } == [try keyName(new.accessToken)])
                    }
                }
            }
            try await Client().post("/v1/auth/login", person.credentials).expect(200)
        }

        /// A copy of the stack's keys, for a test to exchange.
        private struct Keys {
            let folder: URL
            let program: String

            init(_ stack: Stack) throws {
                folder = FileManager.default.temporaryDirectory.appending(path: "warren-keys-\(UUID().uuidString)")
                try FileManager.default.copyItem(at: URL(filePath: stack.state).appending(path: "keys"), to: folder)
                let daemon = try FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(try stack.pid("identity-1"))/exe")
                program = URL(filePath: daemon).deletingLastPathComponent().appending(path: "warren").path
            }

            func path(_ name: String) -> String { folder.appending(path: name).path }

            func run(_ command: String, _ options: String...) async throws {
                try await Command(path: program, arguments: ["keys", command, folder.path] + options).succeed()
            }

            func remove() { try? FileManager.default.removeItem(at: folder) }
        }

        /// Runs the body with a client of an ingress that started with the key set as it is now.
        @Loop private func withIngress(_ stack: Stack, _ keys: Keys, _ body: @Loop (Client) async throws -> Void)
            async throws
        {
            let port = try freePort()
            let ingress = try stack.startAnother(
                "ingress-1",
                ["WARREN_HTTP_ADDRESS": "127.0.0.1:\(port)", "WARREN_VERIFY_KEYS_FILE": keys.path("jwks.json")])
            let client = try Client(url: "http://127.0.0.1:\(port)")
            try await whileRunning(ingress) {
                let isUp = try await eventually(within: .seconds(20)) {
                    (try? await client.get("/health/ready").status) == 200
                }
                try #require(isUp, "\(ingress.errors.suffix(2000))")
                try await body(client)
            }
        }

        /// Runs the body while the only identity worker is one that started with the signing key as it is now.
        @Loop private func withIdentity(_ stack: Stack, _ keys: Keys, _ body: @Loop () async throws -> Void)
            async throws
        {
            let identity = try stack.startAnother(
                "identity-1", ["WARREN_SIGNING_KEY_FILE": keys.path("signing-key.pem")])
            try await whileRunning(identity) {
                let isReady = try await eventually(within: .seconds(20)) { identity.isReady }
                try #require(isReady, "\(identity.errors.suffix(2000))")
                try await stack.scale("identity", 0)
                do {
                    try await body()
                } catch {
                    try await stack.scale("identity", 1)
                    throw error
                }
                try await stack.scale("identity", 1)
            }
        }

        @Loop private func whileRunning(_ process: Started, _ body: @Loop () async throws -> Void) async throws {
            defer { process.removeFiles() }
            do {
                try await body()
            } catch {
                process.signal(SIGTERM)
                _ = try await process.ended()
                throw error
            }
            process.signal(SIGTERM)
            #expect(try await process.ended() == 0)
        }

        /// The name of the key that signed an access token.
        private func keyName(_ token: String) throws -> String {
            let header = try #require(token.split(separator: ".").first)
            return try JSON.parse(try #require(Base64URL.decode(header.utf8))).text("kid")
        }
    }
}
