import Contracts
import Foundation
import Reactor
import Testing

/// A registered account, with its password and the tokens of its first session.
struct TestAccount: Sendable {
    let id: String
    let username: String
    let password: String
    let accessToken: String
    let refreshToken: String

    var email: String { "\(username)@example.org" }

    /// The body of a login.
    var credentials: JSON { ["email": .string(email), "password": .string(password)] }

    /// Registers an account under a random name.
    ///
    /// - Parameter prefix: the beginning of the username.
    @Loop static func register(_ client: APIClient, _ prefix: String = "rabbit") async throws -> TestAccount {
        let (username, password) = ("\(prefix)-\(randomWord(12))", randomWord(20))
        let session = try await client.post("/v1/auth/register", registration(username, password)).expect(201)
        return try TestAccount(username: username, password: password, session: session)
    }

    /// Returns the body of a registration.
    static func registration(_ username: String, _ password: String) -> JSON {
        [
            "username": .string(username), "email": .string("\(username)@example.org"),
            "password": .string(password),
        ]
    }

    /// Takes id and tokens from the reply to a registration or a login.
    init(username: String, password: String, session: JSON) throws {
        id = try (session["account"] ?? .null).text("id")
        self.username = username
        self.password = password
        accessToken = try session.text("accessToken")
        refreshToken = try session.text("refreshToken")
    }
}

/// Returns a word of random consonants, so that no other test uses it and no English stem matches it.
func randomWord(_ length: Int) -> String {
    String((0..<length).map { _ in "bcdfghjklmnpqrstvwxz".randomElement() ?? "b" })
}
