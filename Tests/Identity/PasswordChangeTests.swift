import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Password change", .timeLimit(.minutes(2)))
@Loop struct PasswordChangeTests {
    private static let new = "another password"

    @Test("a password change ends all sessions, and then only the new password is accepted")
    func change() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try fixture.session(try await fixture.login(first.account))
            let reply = try await fixture.call(
                Messages.Identity.changePassword,
                ChangePassword(currentPassword: IdentityFixture.password, newPassword: Self.new), as: first.account)
            #expect(reply == .noContent)
            for session in [first, second] {
                #expect(try await fixture.refresh(session.refreshToken).status == 401)
            }
            #expect(try await fixture.login(first.account).status == 401)
            #expect(try await fixture.login(first.account, password: Self.new).status == 200)
        }
    }

    @Test("a password change with a wrong current password is refused with 401 and changes nothing")
    func wrong() async throws {
        try await IdentityFixture.with { fixture in
            let session = try await fixture.register()
            let reply = try await fixture.call(
                Messages.Identity.changePassword,
                ChangePassword(currentPassword: "wrong password", newPassword: Self.new), as: session.account)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-credentials")
            #expect(try await fixture.refresh(session.refreshToken).status == 200)
            #expect(try await fixture.login(session.account).status == 200)
        }
    }

    @Test("the username and the email, in any letter case, are refused as a new password with 422")
    func named() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register("long-enough").account
            for name in ["LONG-enough", "Long-Enough@Example.org"] {
                let reply = try await fixture.call(
                    Messages.Identity.changePassword,
                    ChangePassword(currentPassword: IdentityFixture.password, newPassword: name), as: account)
                #expect(reply.status == 422)
                #expect(try JSON.parse(reply.body)["errors"]?.array?.first?["pointer"] == "/newPassword")
            }
        }
    }

    @Test(
        "a common new password is refused with 422 at /newPassword",
        arguments: ["password1", "QWERTYUIOP", "12345678"])
    func common(_ password: String) async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            let reply = try await fixture.call(
                Messages.Identity.changePassword,
                ChangePassword(currentPassword: IdentityFixture.password, newPassword: password), as: account)
            #expect(reply.status == 422)
            #expect(try JSON.parse(reply.body)["errors"]?.array?.map { $0["pointer"] } == ["/newPassword"])
            #expect(try await fixture.login(account).status == 200)
        }
    }

    @Test("a password is accepted with precomposed and with decomposed characters, and in no other variant")
    func normalised() async throws {
        try await IdentityFixture.with { fixture in
            let (composed, decomposed) = (
                "pass\u{E9} \u{1E0D}\u{307} \u{C5}ngstr\u{F6}m", "passe\u{301} d\u{307}\u{323} A\u{30A}ngstro\u{308}m"
            )
            #expect(Array(composed.utf8) != Array(decomposed.utf8))
            let account = try await fixture.register().account
            let change = ChangePassword(currentPassword: IdentityFixture.password, newPassword: composed)
            #expect(try await fixture.call(Messages.Identity.changePassword, change, as: account).status == 204)
            for password in [composed, decomposed] {
                #expect(try await fixture.login(account, password: password).status == 200)
            }
            // With another letter case, more white space or without an accent, it is a different password.
            for password in [composed.uppercased(), composed + " ", composed.replacing("\u{C5}", with: "A")] {
                #expect(try await fixture.login(account, password: password).status == 401)
            }
            let back = ChangePassword(currentPassword: decomposed, newPassword: "another password")
            #expect(try await fixture.call(Messages.Identity.changePassword, back, as: account).status == 204)
        }
    }

    @Test("a password of 128 multibyte characters is accepted in precomposed and in decomposed form")
    func long() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            let long = String(repeating: "\u{1F82}", count: 128)
            let change = ChangePassword(currentPassword: IdentityFixture.password, newPassword: long)
            #expect(try await fixture.call(Messages.Identity.changePassword, change, as: account).status == 204)
            let decomposed = String(repeating: "\u{3B1}\u{313}\u{300}\u{345}", count: 128)
            #expect(try await fixture.login(account, password: decomposed).status == 200)
            #expect(try await fixture.login(account, password: String(long.dropLast())).status == 401)
        }
    }

    @Test("exactly one of two concurrent password changes succeeds")
    func concurrent() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            func change(_ password: String) async throws -> Int {
                try await fixture.call(
                    Messages.Identity.changePassword,
                    ChangePassword(currentPassword: IdentityFixture.password, newPassword: password), as: account
                ).status
            }
            async let first = change("first password")
            async let second = change("second password")
            let statuses = try await [first, second]
            #expect(statuses.sorted() == [204, 401])
            let winner = statuses[0] == 204 ? "first password" : "second password"
            #expect(try await fixture.login(account, password: winner).status == 200)
        }
    }
}

@Suite("Own account", .timeLimit(.minutes(1)))
@Loop struct AccountTests {
    @Test("identity.me returns the caller's account")
    func me() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            _ = try await fixture.register()
            let reply = try await fixture.call(Messages.Identity.me, EmptyBody(), as: account)
            #expect(reply.status == 200)
            #expect(try Account.schema.decode(try JSON.parse(reply.body)) == account)
        }
    }

    @Test("identity.me without a caller or for an unknown account is refused with 401")
    func unknown() async throws {
        try await IdentityFixture.with { fixture in
            let anonymous = try await fixture.call(Messages.Identity.me, EmptyBody())
            #expect(anonymous.status == 401)
            #expect(anonymous.code == "unauthenticated")
            let deleted = Account(id: .v7(), username: "deleted", email: "deleted@example.org", createdAt: .now())
            let reply = try await fixture.call(Messages.Identity.me, EmptyBody(), as: deleted)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-token")
        }
    }
}
