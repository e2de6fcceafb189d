import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Stored secrets", .timeLimit(.minutes(1)))
@Loop struct StoredSecretTests {
    @Test("no table contains a password or token, as text or in hexadecimal")
    func noClearText() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try fixture.session(try await fixture.refresh(first.refreshToken))
            let third = try fixture.session(try await fixture.login(first.account))
            let secrets =
                [IdentityFixture.password, "another password"]
                + [first, second, third].flatMap { [$0.refreshToken, $0.accessToken] }
            _ = try await fixture.call(
                Messages.Identity.changePassword,
                ChangePassword(currentPassword: "wrong password", newPassword: "another password"), as: first.account)

            let content = try await fixture.content()
            #expect(content.contains(first.account.id.text))
            for secret in secrets {
                #expect(!content.contains(secret))
                #expect(!content.contains(secret.utf8.hexadecimal))
            }
            #expect(try await fixture.database.count("SELECT count(*) FROM inbox") == 0)
        }
    }

    @Test("a password is stored as an Argon2id hash with 19 MiB and two passes")
    func passwordHash() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register()
            let strong = try await fixture.database.count(
                "SELECT count(*) FROM accounts WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'")
            #expect(strong == 1)
        }
    }

    @Test("the successor of a refresh token can be decrypted only with that token")
    func sealing() throws {
        let token = RefreshSecret.random()
        let successor = RefreshSecret.random()
        let sealed = try token.seal(successor)
        #expect(try token.open(sealed) == successor)
        #expect(throws: (any Error).self) { try RefreshSecret.random().open(sealed) }
        #expect(throws: (any Error).self) { try successor.open(sealed) }
    }

    @Test("a refresh token has 256 random bits, and its description does not contain the token")
    func randomness() {
        let tokens = (0..<1000).map { _ in RefreshSecret.random() }
        #expect(Set(tokens).count == 1000)
        #expect(tokens.allSatisfy { $0.text.utf8.count == 43 })
        #expect(!"\(tokens[0])".contains(tokens[0].text))
    }
}

extension IdentityFixture {
    /// Returns all rows of all tables in the schema as text.
    fileprivate func content() async throws -> String {
        let tables = try await database.query(
            Statement("SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"))
        var content = ""
        for table in tables {
            let name = try table.get(0, as: String.self)
            for row in try await database.query(Statement("SELECT t::text FROM \(name) t")) {
                content += try row.get(0, as: String.self)
            }
        }
        return content
    }
}

extension Sequence<UInt8> {
    fileprivate var hexadecimal: String {
        map { byte in String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16) }.joined()
    }
}
