import Argon2
import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Synchronization
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Login", .timeLimit(.minutes(2)))
@Loop struct LoginTests {
    @Test("a login with the right password and the email in any letter case returns a session")
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

    @Test(
        "a login finds the account if the email has white space or invisible characters around it, or is not composed")
    func emailForms() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register("kim").account
            for email in [
                " kim@example.org", "kim@example.org ", "\tkim@example.org\r\n", "\u{A0}kim@example.org\u{3000}",
                "\u{FEFF}kim@example.org\u{200B}", "\u{202A}kim@example.org\u{202C}", " KIM@Example.org\u{2069}",
                "\u{212A}im@example.org", "kim@example.org\u{FE0F}", "\u{3164}kim@example.org\u{E0020}",
            ] {
                let reply = try await fixture.call(
                    Messages.Identity.login, Login(email: email, password: IdentityFixture.password))
                #expect(try fixture.session(reply).account == account)
            }
            for email in ["k im@example.org", "kim@example.org x", " "] {
                let reply = try await fixture.call(
                    Messages.Identity.login, Login(email: email, password: IdentityFixture.password))
                #expect(reply.status == 401, "\(email.debugDescription)")
            }
        }
    }

    @Test("a login with an internationalized email gets 422 with the rule, because no account can have such an email")
    func internationalized() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register("kim")
            for email in ["kim@münchen.de", "ü@example.org", "kim\u{200B}@example.org", "\u{FF4B}im@example.org"] {
                let reply = try await fixture.call(
                    Messages.Identity.login, Login(email: email, password: IdentityFixture.password))
                #expect(reply.status == 422, "\(email.debugDescription)")
                let error = try JSON.parse(reply.body)["errors"]?.array?.first
                #expect(error?["pointer"] == "/email")
                #expect(error?["message"]?.string?.hasPrefix("must be ASCII: write an international") == true)
            }
        }
    }

    @Test("failed logins with different forms of one email count together")
    func failedForms() async throws {
        try await TestRedis.withClient { (redis) async throws in
            try await IdentityFixture.with {
                $0.throttle = LoginThrottle(
                    limit: RateLimit(name: "failed-logins", count: 3, per: .seconds(600)), delay: .seconds(1),
                    capacity: 32, redis: redis)
            } _: { fixture in
                let account = try await fixture.register().account
                func time(_ email: String) async throws -> Duration {
                    let start = ContinuousClock.now
                    let login = Login(email: email, password: "wrong password")
                    #expect(try await fixture.call(Messages.Identity.login, login).status == 401)
                    return .now - start
                }
                for form in [account.email, " \(account.email)", "\(account.email)\u{200B}"] {
                    _ = try await time(form)
                }
                #expect(try await time("\u{A0}\(account.email.uppercased())") >= .seconds(1))
            }
        }
    }

    @Test("a login with a wrong password and one with an unknown email get the same 401 reply")
    func refusal() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            let wrong = try await fixture.login(account, password: "wrong password")
            let unknown = try await fixture.call(
                Messages.Identity.login, Login(email: "nobody@example.org", password: IdentityFixture.password))
            #expect(wrong.status == 401)
            #expect(wrong.code == "invalid-credentials")
            #expect(wrong == unknown)
            // Special characters neither match an account nor cause an error.
            let odd = try await fixture.call(
                Messages.Identity.login, Login(email: "%' OR 1=1 -- \u{212A}", password: "x"))
            #expect(odd == wrong)
        }
    }

    @Test("a login with the right password, a wrong password or an unknown email verifies one hash of the same cost")
    func sameWork() async throws {
        let recorder = CostRecorder()
        try await IdentityFixture.with {
            $0.passwords = recorder.hasher
        } _: { fixture in
            let account = try await fixture.register().account
            _ = try await fixture.login(account)
            _ = try await fixture.login(account, password: "wrong password")
            _ = try await fixture.call(
                Messages.Identity.login, Login(email: "nobody@example.org", password: IdentityFixture.password))
            #expect(recorder.costs == Array(repeating: "m=19456,t=2,p=1", count: 3))
        }
    }

    /// Records the cost of each hash that is verified.
    private final class CostRecorder: Sendable {
        private let recorded = Mutex<[String]>([])

        var costs: [String] { recorded.withLock { $0 } }

        var hasher: PasswordHasher {
            PasswordHasher(verify: { password, hash in
                self.recorded.withLock { $0.append(hash.split(separator: "$")[2].description) }
                return try await PasswordHash.verify(password, against: hash)
            })
        }
    }

    @Test("the dummy hash has the standard cost, and verifying against it fails")
    func dummy() async throws {
        #expect(try await PasswordHasher().verify("", against: nil) == false)
        let real = try await PasswordHash.hash([])
        #expect(PasswordHasher.dummyHash.split(separator: "$").prefix(3) == real.split(separator: "$").prefix(3))
        #expect(PasswordHasher.dummyHash.count == real.count)
        #expect(try await PasswordHash.verify([], against: PasswordHasher.dummyHash) == false)
    }

    @Test("a logout of one session does not end another session of the same account")
    func families() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try fixture.session(try await fixture.login(first.account))
            #expect(try await fixture.logout(first.refreshToken).status == 204)
            #expect(try await fixture.refresh(first.refreshToken).status == 401)
            #expect(try await fixture.refresh(second.refreshToken).status == 200)
        }
    }

    @Test("a login with the old password during a password change leaves no valid session")
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
