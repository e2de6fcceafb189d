import Contracts
import DatabaseSupport
import FoundationEssentials
import Postgres
import Reactor
import TestSupport
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Registration", .timeLimit(.minutes(2)))
@Loop struct RegistrationTests {
    @Test("a registration returns a session and publishes an event without the email")
    func session() async throws {
        try await IdentityFixture.with { fixture in
            let reply = try await fixture.call(
                Messages.Identity.register,
                Register(username: "Ann.O-1", email: "Ann@Example.org", password: IdentityFixture.password))
            let session = try fixture.session(reply, status: 201)
            let id = session.account.id
            let expected = Account(
                id: id, username: "Ann.O-1", email: "Ann@Example.org", createdAt: fixture.clock.now)
            #expect(session.account == expected)
            #expect(session.expiresIn == 900)

            let row = try #require(try await fixture.database.query(Statement("SELECT type, body FROM outbox")).first)
            #expect(try row.get(0, as: String.self) == "account.registered")
            let event = try EventEnvelope.decode(row.get(1, as: [UInt8].self)).decode(AccountRegistered.self)
            #expect(event.data == AccountRegistered(id: id, username: "Ann.O-1", createdAt: expected.createdAt))
            #expect(!String(decoding: try row.get(1, as: [UInt8].self), as: UTF8.self).contains("xample.org"))
        }
    }

    @Test("a registration with a taken username or email, in any letter case, is refused as account-exists")
    func taken() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register("Bob")
            for (username, email) in [("bOB", "other@example.org"), ("robert", "BOB@EXAMPLE.ORG")] {
                let reply = try await fixture.call(
                    Messages.Identity.register,
                    Register(username: username, email: email, password: IdentityFixture.password))
                #expect(reply.status == 409)
                #expect(reply.code == "account-exists")
            }
            #expect(try await fixture.database.count("SELECT count(*) FROM accounts") == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM outbox") == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM refresh_families") == 1)
        }
    }

    @Test("a registration stores the email without the blanks around it, and refuses it a second time as taken")
    func trimmedEmail() async throws {
        try await IdentityFixture.with { fixture in
            func register(_ username: String, _ email: String) async throws -> Reply {
                try await fixture.call(
                    Messages.Identity.register,
                    Register(username: username, email: email, password: IdentityFixture.password))
            }
            let session = try fixture.session(try await register("gus", " Gus@example.org\u{200B}\n"), status: 201)
            #expect(session.account.email == "Gus@example.org")
            #expect(try fixture.session(try await fixture.login(session.account)).account == session.account)
            #expect(try await register("gus2", "gus@example.org\u{FE0F}").code == "account-exists")
        }
    }

    @Test("exactly one of four concurrent registrations of a username succeeds, and the others get 409")
    func race() async throws {
        try await IdentityFixture.with { fixture in
            let statuses = try await concurrently(4) { number in
                try await fixture.call(
                    Messages.Identity.register,
                    Register(username: "eve", email: "eve\(number)@example.org", password: IdentityFixture.password)
                ).status
            }
            #expect(statuses.sorted() == [201, 409, 409, 409])
        }
    }

    @Test("a redelivered registration creates one account, and each delivery gets a session")
    func redelivery() async throws {
        try await IdentityFixture.with { fixture in
            let id = UUID.v7()
            let request = Register(username: "carol", email: "carol@example.org", password: IdentityFixture.password)
            let first = try await fixture.call(Messages.Identity.register, request, id: id)
            let second = try await fixture.call(Messages.Identity.register, request, id: id)
            #expect(try fixture.session(first, status: 201).account == fixture.session(second, status: 201).account)
            #expect(try await fixture.database.count("SELECT count(*) FROM accounts") == 1)
            #expect(try await fixture.database.count("SELECT count(*) FROM outbox") == 1)
            let latest = try fixture.session(second, status: 201)
            #expect(try await fixture.refresh(latest.refreshToken).status == 200)
        }
    }

    @Test("a registration that repeats a message id with another password is refused as account-exists")
    func stolenID() async throws {
        try await IdentityFixture.with { fixture in
            let id = UUID.v7()
            let request = Register(username: "dan", email: "dan@example.org", password: IdentityFixture.password)
            _ = try await fixture.call(Messages.Identity.register, request, id: id)
            let other = Register(username: "dan", email: "dan@example.org", password: "another password")
            let reply = try await fixture.call(Messages.Identity.register, other, id: id)
            #expect(reply.status == 409)
            #expect(reply.code == "account-exists")
        }
    }

    @Test("wrong passwords in repeated registrations count as failed logins of the account")
    func guessing() async throws {
        try await TestRedis.withClient { (redis) async throws in
            let throttle = LoginThrottle(
                limit: RateLimit(name: "failed-logins", count: 2, per: .seconds(600)), delay: .milliseconds(1000),
                capacity: 8, redis: redis)
            try await IdentityFixture.with {
                $0.throttle = throttle
            } _: { (fixture) async throws in
                let (id, name) = (UUID.v7(), "u-\(UUID().text.prefix(13))")
                func register(_ password: String) async throws -> Reply {
                    try await fixture.call(
                        Messages.Identity.register,
                        Register(username: name, email: "\(name)@example.org", password: password), id: id)
                }
                #expect(try await register(IdentityFixture.password).status == 201)
                for _ in 0..<2 { #expect(try await register("wrong password").code == "account-exists") }
                async let late = register(IdentityFixture.password)
                #expect(try await eventually { throttle.delayedCount == 1 })
                #expect(try await late.status == 201)
            }
        }
    }

    @Test("a registration whose message id is another account's id creates a new account")
    func foreignID() async throws {
        try await IdentityFixture.with { fixture in
            let account = try await fixture.register("erin").account
            let reply = try await fixture.call(
                Messages.Identity.register,
                Register(username: "frank", email: "frank@example.org", password: IdentityFixture.password),
                id: account.id)
            #expect(try fixture.session(reply, status: 201).account.id != account.id)
            #expect(try await fixture.database.count("SELECT count(*) FROM accounts") == 2)
        }
    }

    @Test("a common password is reported together with the other faults of a registration")
    func common() async throws {
        try await IdentityFixture.with { fixture in
            for (username, pointers) in [("fine", ["/password"]), ("a b", ["/password", "/username"])] {
                let reply = try await fixture.call(
                    Messages.Identity.register,
                    Register(username: username, email: "x@example.org", password: "Football1"))
                #expect(reply.status == 422)
                let errors = try JSON.parse(reply.body)["errors"]?.array
                #expect(errors?.compactMap { $0["pointer"]?.string }.sorted() == pointers)
                let message = errors?.first { $0["pointer"] == "/password" }?["message"]
                #expect(message == "must not be a commonly used password")
            }
            #expect(try await fixture.database.count("SELECT count(*) FROM accounts") == 0)
        }
    }

    @Test("all faults of a registration are reported at once")
    func invalid() async throws {
        try await IdentityFixture.with { fixture in
            let reply = try await fixture.call(
                Messages.Identity.register, Register(username: "a b", email: "nowhere", password: "short"))
            #expect(reply.status == 422)
            let pointers = try JSON.parse(reply.body)["errors"]?.array?.compactMap { $0["pointer"]?.string }
            #expect(pointers.map(Set.init) == ["/username", "/email", "/password"])
        }
    }
}
