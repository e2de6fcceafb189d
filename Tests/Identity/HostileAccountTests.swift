import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing
import WorkerKit

@testable import IdentityService

@Suite("What no account can be made of", .timeLimit(.minutes(1)))
@Loop struct HostileAccountTests {
    /// Where a registration is at fault, as the service reads it.
    private func faults(
        username: String = "someone", email: String = "someone@example.org", password: String = IdentityFixture.password
    ) -> [String] {
        let body = Register(username: username, email: email, password: password).jsonBytes()
        do {
            _ = try Messages.Identity.register.request.decode(body)
            return []
        } catch {
            return error.faults.map(\.pointer)
        }
    }

    @Test(
        "a username that turns the direction of text, cannot be seen or looks like another's",
        arguments: [
            // Bidirectional controls: embeddings, overrides, isolates, marks.
            "admin\u{202E}nimda", "\u{202A}admin", "admin\u{202C}", "\u{2066}admin\u{2069}", "admin\u{200F}",
            "admin\u{61C}",
            // What cannot be seen.
            "ad\u{200B}min", "ad\u{200D}min", "\u{FEFF}admin", "ad\u{AD}min", "admin\u{0}", "admin\n", "ad\tmin",
            " admin",
            "admin\u{A0}", "admin\u{1B}[31m", "ad\u{7F}min",
            // Look-alikes: Cyrillic, Greek, full width, mathematical, with a dot above, a ligature, combining.
            "\u{430}dmin", "\u{3B1}dmin", "\u{FF41}dmin", "\u{1D41A}dmin", "adm\u{131}n", "\u{FB01}nder",
            "admin\u{301}",
            "adm\u{FF0E}in", "ad\u{2013}min", "\u{661}\u{662}\u{663}", "\u{1F600}\u{1F600}\u{1F600}",
        ])
    func username(_ username: String) {
        #expect(Set(faults(username: username)) == ["/username"])
    }

    @Test("a username in another case, which is the same name")
    func sameName() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register("Admin.1_x-Y")
            for name in ["admin.1_x-y", "ADMIN.1_X-Y"] {
                let reply = try await fixture.call(
                    Messages.Identity.register,
                    Register(username: name, email: "\(UUID().text)@example.org", password: IdentityFixture.password))
                #expect(reply.code == "account-exists")
            }
        }
    }

    @Test(
        "an email that is not ASCII, has what no address has or is too long",
        arguments: [
            "j\u{F6}rg@example.org", "joerg@b\u{FC}cher.example", "\u{430}dmin@example.org", "admin@ex\u{430}mple.org",
            "admin@example\u{3002}org", "admin@example.org\u{202E}", "\u{FEFF}admin@example.org",
            "admin@example.org\u{0}",
            "admin@example.org\r\nBcc: all@example.org", "admin@example.org ", "<admin@example.org>",
            "admin@example.org,b@example.org", String(repeating: "a", count: 243) + "@example.org",
            String(repeating: "a", count: 65) + "@example.org",
        ])
    func email(_ email: String) {
        #expect(Set(faults(email: email)) == ["/email"])
    }

    @Test("an email is kept as it was written, is the same in any case, and may have a domain in its ASCII form")
    func sameEmail() async throws {
        try await IdentityFixture.with { fixture in
            let email = "Jo+News@XN--Bcher-Kva.example"
            let reply = try await fixture.call(
                Messages.Identity.register, Register(username: "jo-1", email: email, password: IdentityFixture.password)
            )
            #expect(try fixture.session(reply, status: 201).account.email == email)
            let again = try await fixture.call(
                Messages.Identity.register,
                Register(username: "jo-2", email: email.lowercased(), password: IdentityFixture.password))
            #expect(again.code == "account-exists")
            let login = try await fixture.call(
                Messages.Identity.login, Login(email: email.uppercased(), password: IdentityFixture.password))
            #expect(login.status == 200)
        }
    }

    @Test(
        "a password of too few or too many characters, or with U+0000",
        arguments: [
            "1234567", "\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}",
            String(repeating: "p", count: 129), "long enough\u{0}",
        ])
    func password(_ password: String) {
        #expect(faults(password: password) == ["/password"])
    }

    @Test("a password is counted in characters, not in bytes, and may be of any", arguments: [8, 128])
    func characters(_ count: Int) async throws {
        try await IdentityFixture.with { fixture in
            let password = String(repeating: "\u{1F407}", count: count)
            let reply = try await fixture.call(
                Messages.Identity.register,
                Register(username: "someone", email: "someone@example.org", password: password))
            let account = try fixture.session(reply, status: 201).account
            #expect(try await fixture.login(account, password: password).status == 200)
            #expect(try await fixture.login(account, password: password + "\u{1F407}").status == 401)
        }
    }

    @Test("fields that the caller has no say in", arguments: ["id", "createdAt", "admin", "passwordHash", "Username"])
    func massAssignment(_ field: String) {
        let body = #"{"username":"someone","email":"a@example.org","password":"a fine password","\#(field)":"x"}"#
        let problem = #expect(throws: Problem.self) {
            try Messages.Identity.register.request.decode(Array(body.utf8))
        }
        #expect(problem?.faults.map(\.pointer) == ["/\(field)"])
    }
}
