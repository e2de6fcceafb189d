import Contracts
import DatabaseSupport
import FoundationEssentials
import Reactor
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Hostile registrations", .timeLimit(.minutes(1)))
@Loop struct HostileRegistrationTests {
    /// Returns the JSON pointers of a registration's faults.
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
        "a username with bidirectional controls, invisible characters or look-alike letters is refused at /username",
        arguments: [
            // Bidirectional controls: embeddings, overrides, isolates, marks.
            "admin\u{202E}nimda", "\u{202A}admin", "admin\u{202C}", "\u{2066}admin\u{2069}", "admin\u{200F}",
            "admin\u{61C}",
            // Invisible characters.
            "ad\u{200B}min", "ad\u{200D}min", "\u{FEFF}admin", "ad\u{AD}min", "admin\u{0}", "admin\n", "ad\tmin",
            " admin",
            "admin\u{A0}", "admin\u{1B}[31m", "ad\u{7F}min",
            // Look-alikes: Cyrillic, Greek, full width, mathematical, a dotless i, a ligature, a combining accent.
            "\u{430}dmin", "\u{3B1}dmin", "\u{FF41}dmin", "\u{1D41A}dmin", "adm\u{131}n", "\u{FB01}nder",
            "admin\u{301}",
            "adm\u{FF0E}in", "ad\u{2013}min", "\u{661}\u{662}\u{663}", "\u{1F600}\u{1F600}\u{1F600}",
        ])
    func username(_ username: String) {
        #expect(Set(faults(username: username)) == ["/username"])
    }

    @Test("a username that differs only in letter case from an existing one is refused as account-exists")
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
        "an email that is not ASCII, is not an address or is too long is refused at /email",
        arguments: [
            "j\u{F6}rg@example.org", "joerg@b\u{FC}cher.example", "\u{430}dmin@example.org", "admin@ex\u{430}mple.org",
            "admin@example\u{3002}org", "admin\u{202E}@example.org", "admin@\u{FEFF}example.org",
            "admin@example.org\u{0}",
            "admin@example.org\r\nBcc: all@example.org", "admin @example.org", "<admin@example.org>",
            "admin@example.org,b@example.org", String(repeating: "a", count: 243) + "@example.org",
            String(repeating: "a", count: 65) + "@example.org",
        ])
    func email(_ email: String) {
        #expect(Set(faults(email: email)) == ["/email"])
    }

    @Test("an email is stored in its letter case, compared in any letter case, and may have a Punycode domain")
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
        "a password that is too short, too long or contains U+0000 is refused at /password",
        arguments: [
            "1234567", "\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}",
            String(repeating: "p", count: 129), "long enough\u{0}",
        ])
    func password(_ password: String) {
        #expect(faults(password: password) == ["/password"])
    }

    @Test("a password of 8 or 128 characters of four bytes each is accepted", arguments: [8, 128])
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

    @Test(
        "a registration with a field that is not in the schema is refused at that field",
        arguments: ["id", "createdAt", "admin", "passwordHash", "Username"])
    func massAssignment(_ field: String) {
        let body = #"{"username":"someone","email":"a@example.org","password":"a fine password","\#(field)":"x"}"#
        let problem = #expect(throws: Problem.self) {
            try Messages.Identity.register.request.decode(Array(body.utf8))
        }
        #expect(problem?.faults.map(\.pointer) == ["/\(field)"])
    }
}
