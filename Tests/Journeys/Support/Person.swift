import Contracts
import Foundation
import Reactor
import Testing

/// Someone with an account of their own.
struct Person: Sendable {
    let id: String
    let username: String
    let password: String
    let accessToken: String
    let refreshToken: String

    var email: String { "\(username)@example.org" }

    /// What to log in with.
    var credentials: JSON { ["email": .string(email), "password": .string(password)] }

    /// Registers an account that nobody else uses.
    @Loop static func register(_ client: Client, _ name: String = "rabbit") async throws -> Person {
        let (username, password) = ("\(name)-\(Fresh.word(12))", Fresh.word(20))
        let session = try await client.post("/v1/auth/register", registration(username, password)).expect(201)
        return try Person(username: username, password: password, session: session)
    }

    /// The body of a registration.
    static func registration(_ username: String, _ password: String) -> JSON {
        [
            "username": .string(username), "email": .string("\(username)@example.org"),
            "password": .string(password),
        ]
    }

    init(username: String, password: String, session: JSON) throws {
        id = try (session["account"] ?? .null).text("id")
        self.username = username
        self.password = password
        accessToken = try session.text("accessToken")
        refreshToken = try session.text("refreshToken")
    }
}

/// Words that nobody has used before.
enum Fresh {
    static func word(_ length: Int) -> String {
        String((0..<length).map { _ in "bcdfghjklmnpqrstvwxz".randomElement() ?? "b" })
    }
}
