import Argon2
import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Synchronization
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Logging in", .timeLimit(.minutes(2)))
@Loop struct LoginTests {
    @Test("gives a session to who knows email and password, whatever the email's case")
    func session() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register("Frida").account
            for email in [account.email, "frida@example.org", "FRIDA@EXAMPLE.ORG"] {
                let reply = try await fixture.call(
                    Messages.Identity.login, Login(email: email, password: IdentityFixture.password))
                #expect(try fixture.session(reply).account == account)
            }
        }
    }

    @Test("answers the same to a wrong password and for an unknown account")
    func refusal() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            let wrong = try await fixture.login(account, password: "wrong password")
            let unknown = try await fixture.call(
                Messages.Identity.login, Login(email: "nobody@example.org", password: IdentityFixture.password))
            #expect(wrong.status == 401)
            #expect(wrong.code == "invalid-credentials")
            #expect(wrong == unknown)
            // No text that a client may send finds an account or breaks anything.
            let odd = try await fixture.call(
                Messages.Identity.login, Login(email: "%' OR 1=1 -- \u{212A}\u{1F600}", password: "x"))
            #expect(odd == wrong)
        }
    }

    @Test("checks one password at one cost, whether it is right, wrong or for an unknown account")
    func sameWork() async throws {
        let checks = Checks()
        try await IdentityFixture.with {
            $0.passwords = checks.counting
        } _: { fixture in
            let account = try await fixture.register().account
            _ = try await fixture.login(account)
            _ = try await fixture.login(account, password: "wrong password")
            _ = try await fixture.call(
                Messages.Identity.login, Login(email: "nobody@example.org", password: IdentityFixture.password))
            #expect(checks.costs == Array(repeating: "m=19456,t=2,p=1", count: 3))
        }
    }

    /// Notes the cost of each hash that a password is checked against.
    private final class Checks: Sendable {
        private let noted = Mutex<[String]>([])

        var costs: [String] { noted.withLock { $0 } }

        var counting: PasswordHasher {
            PasswordHasher(verify: { password, hash in
                self.noted.withLock { $0.append(hash.split(separator: "$")[2].description) }
                return try await PasswordHash.verify(password, against: hash)
            })
        }
    }

    @Test("takes the hash that stands for no account's for none that a password fits")
    func dummy() async throws {
        #expect(try await PasswordHasher().verify("", against: nil) == false)
        #expect(!PasswordHash.needsRehash(PasswordHasher.dummyHash))
        #expect(try await PasswordHash.verify("", against: PasswordHasher.dummyHash) == false)
    }

    @Test("begins a family of its own each time")
    func families() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try fixture.session(try await fixture.login(first.account))
            #expect(try await fixture.logout(first.refreshToken).status == 204)
            #expect(try await fixture.refresh(first.refreshToken).status == 401)
            #expect(try await fixture.refresh(second.refreshToken).status == 200)
        }
    }

    @Test("with a password that is being changed leaves no session behind")
    func duringChange() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            let passwords = [IdentityFixture.password] + (0..<4).map { "another password \($0)" }
            for (old, new) in zip(passwords, passwords.dropFirst()) {
                async let changing = fixture.call(
                    Messages.Identity.changePassword, ChangePassword(currentPassword: old, newPassword: new),
                    as: account)
                async let first = fixture.login(account, password: old)
                async let second = fixture.login(account, password: old)
                let replies = try await [first, second]
                #expect(try await changing.status == 204)
                for reply in replies where reply.status == 200 {
                    #expect(try await fixture.refresh(fixture.session(reply).refreshToken).status == 401)
                }
            }
        }
    }
}
