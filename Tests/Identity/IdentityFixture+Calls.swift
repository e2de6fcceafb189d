import Contracts
import DatabaseSupport
import FoundationEssentials
import TestSupport
import Testing
import WorkerKit

extension IdentityFixture {
    /// Creates an account, by default with a unique name.
    func register(_ username: String? = nil) async throws -> Session {
        let username = username ?? "u-" + String(UUID().text.prefix(13))
        let reply = try await call(
            Messages.Identity.register,
            Register(username: username, email: "\(username)@example.org", password: Self.password))
        return try session(reply, status: 201)
    }

    func login(_ account: Account, password: String = IdentityFixture.password) async throws -> Reply {
        try await call(Messages.Identity.login, Login(email: account.email, password: password))
    }

    func refresh(_ token: String) async throws -> Reply {
        try await call(Messages.Identity.refresh, RefreshToken(refreshToken: token))
    }

    func logout(_ token: String) async throws -> Reply {
        try await call(Messages.Identity.logout, RefreshToken(refreshToken: token))
    }

    /// Decodes the session in a reply.
    func session(_ reply: Reply, status: Int = 200) throws -> Session {
        try #require(reply.status == status, "\(String(decoding: reply.body, as: UTF8.self))")
        return try Session.schema.decode(try JSON.parse(reply.body))
    }
}
