import Argon2
import Contracts
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
        try await IdentityBench.with { bench in
            let account = try await bench.register("Frida").account
            for email in [account.email, "frida@example.org", "FRIDA@EXAMPLE.ORG"] {
                let reply = try await bench.call(
                    Messages.Identity.login, Login(email: email, password: IdentityBench.password))
                #expect(try bench.session(reply).account == account)
            }
        }
    }

    @Test("answers the same to a wrong password and for an unknown account")
    func refusal() async throws {
        try await IdentityBench.with { bench in
            let account = try await bench.register().account
            let wrong = try await bench.login(account, password: "wrong password")
            let unknown = try await bench.call(
                Messages.Identity.login, Login(email: "nobody@example.org", password: IdentityBench.password))
            #expect(wrong.status == 401)
            #expect(wrong.code == "invalid-credentials")
            #expect(wrong == unknown)
            // No text that a client may send finds an account or breaks anything.
            let odd = try await bench.call(
                Messages.Identity.login, Login(email: "%' OR 1=1 -- \u{212A}\u{1F600}", password: "x"))
            #expect(odd == wrong)
        }
    }

    @Test("checks one password at one cost, whether it is right, wrong or for an unknown account")
    func sameWork() async throws {
        let checks = Checks()
        try await IdentityBench.with {
            $0.passwords = checks.counting
        } _: { bench in
            let account = try await bench.register().account
            _ = try await bench.login(account)
            _ = try await bench.login(account, password: "wrong password")
            _ = try await bench.call(
                Messages.Identity.login, Login(email: "nobody@example.org", password: IdentityBench.password))
            #expect(checks.costs == Array(repeating: "m=19456,t=2,p=1", count: 3))
        }
    }

    /// Notes the cost of each hash that a password is checked against.
    private final class Checks: Sendable {
        private let noted = Mutex<[String]>([])

        var costs: [String] { noted.withLock { $0 } }

        var counting: Passwords {
            Passwords(verify: { password, hash in
                self.noted.withLock { $0.append(hash.split(separator: "$")[2].description) }
                return try await PasswordHash.verify(password, against: hash)
            })
        }
    }

    @Test("takes the hash that stands for no account's for none that a password fits")
    func dummy() async throws {
        #expect(try await Passwords().verify("", against: nil) == false)
        let real = try await PasswordHash.hash([])
        #expect(Passwords.noPassword.split(separator: "$").prefix(3) == real.split(separator: "$").prefix(3))
        #expect(Passwords.noPassword.count == real.count)
        #expect(try await PasswordHash.verify([], against: Passwords.noPassword) == false)
    }

    @Test("begins a family of its own each time")
    func families() async throws {
        try await IdentityBench.with { bench in
            let first = try await bench.register()
            let second = try bench.session(try await bench.login(first.account))
            #expect(try await bench.logout(first.refreshToken).status == 204)
            #expect(try await bench.refresh(first.refreshToken).status == 401)
            #expect(try await bench.refresh(second.refreshToken).status == 200)
        }
    }

    @Test("with a password that is being changed leaves no session behind")
    func duringChange() async throws {
        try await IdentityBench.with { bench in
            let account = try await bench.register().account
            let passwords = [IdentityBench.password] + (0..<4).map { "another password \($0)" }
            for (old, new) in zip(passwords, passwords.dropFirst()) {
                async let changing = bench.call(
                    Messages.Identity.changePassword, ChangePassword(currentPassword: old, newPassword: new),
                    as: account)
                async let first = bench.login(account, password: old)
                async let second = bench.login(account, password: old)
                let replies = try await [first, second]
                #expect(try await changing.status == 204)
                for reply in replies where reply.status == 200 {
                    #expect(try await bench.refresh(bench.session(reply).refreshToken).status == 401)
                }
            }
        }
    }
}
