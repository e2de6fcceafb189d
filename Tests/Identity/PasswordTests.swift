import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Changing the password", .timeLimit(.minutes(2)))
@Loop struct PasswordTests {
    private static let new = "another password"

    @Test("lets its owner in with the new one alone, and ends every session")
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

    @Test("needs the current one, and changes nothing without it")
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

    @Test("refuses the username and the email as the new one")
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

    @Test("refuses a common one, and says where it stands", arguments: ["password1", "QWERTYUIOP", "12345678"])
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

    @Test("takes a password that is typed on another system, which takes its characters apart")
    func normalised() async throws {
        try await IdentityFixture.with { fixture in
            let (composed, apart) = (
                "pass\u{E9} \u{1E0D}\u{307} \u{C5}ngstr\u{F6}m", "passe\u{301} d\u{307}\u{323} A\u{30A}ngstro\u{308}m"
            )
            #expect(Array(composed.utf8) != Array(apart.utf8))
            let account = try await fixture.register().account
            let change = ChangePassword(currentPassword: IdentityFixture.password, newPassword: composed)
            #expect(try await fixture.call(Messages.Identity.changePassword, change, as: account).status == 204)
            for password in [composed, apart] {
                #expect(try await fixture.login(account, password: password).status == 200)
            }
            // Nothing else about it is taken for the same: neither case nor white space nor compatible characters.
            for password in [composed.uppercased(), composed + " ", composed.replacing("\u{C5}", with: "A")] {
                #expect(try await fixture.login(account, password: password).status == 401)
            }
            let back = ChangePassword(currentPassword: apart, newPassword: "another password")
            #expect(try await fixture.call(Messages.Identity.changePassword, back, as: account).status == 204)
        }
    }

    @Test("takes up to 128 characters, however many bytes they are, and lets in whoever types them taken apart")
    func long() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            let long = String(repeating: "\u{1F82}", count: 128)
            let change = ChangePassword(currentPassword: IdentityFixture.password, newPassword: long)
            #expect(try await fixture.call(Messages.Identity.changePassword, change, as: account).status == 204)
            let apart = String(repeating: "\u{3B1}\u{313}\u{300}\u{345}", count: 128)
            #expect(try await fixture.login(account, password: apart).status == 200)
            #expect(try await fixture.login(account, password: String(long.dropLast())).status == 401)
        }
    }

    @Test("by two at once is done by one of them")
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

@Suite("Who am I", .timeLimit(.minutes(1)))
@Loop struct AccountTests {
    @Test("shows the caller their account")
    func me() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register().account
            _ = try await fixture.register()
            let reply = try await fixture.call(Messages.Identity.me, EmptyBody(), as: account)
            #expect(reply.status == 200)
            #expect(try Account.schema.decode(try JSON.parse(reply.body)) == account)
        }
    }

    @Test("is answered neither to nobody nor for an account that is not there")
    func unknown() async throws {
        try await IdentityFixture.with { fixture in
            let nobody = try await fixture.call(Messages.Identity.me, EmptyBody())
            #expect(nobody.status == 401)
            #expect(nobody.code == "unauthenticated")
            let gone = Account(id: .v7(), username: "gone", email: "gone@example.org", createdAt: .now())
            let reply = try await fixture.call(Messages.Identity.me, EmptyBody(), as: gone)
            #expect(reply.status == 401)
            #expect(reply.code == "invalid-token")
        }
    }
}
