internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import WorkerKit

extension IdentityHandlers {
    /// Starts a session if the email and the password are an account's.
    func login(_ request: Login, _ context: HandlerContext) async throws -> Reply {
        let email = request.email.asciiLowercased
        // An unknown account takes the same path, so neither the reply nor its time reveals whether an
        // account exists.
        let found = try await throttle.attempt(on: email) {
            let found = try await account(IdentityStatements.accountByEmail, email)
            let isRight = try await passwords.verify(request.password, against: found?.passwordHash)
            return isRight ? found : nil
        }
        guard let found, let reply = try await startSession(found.account, found.passwordHash, status: 200)
        else { throw Problem(.invalidCredentials) }
        return reply
    }

    /// Inserts a family of refresh tokens with its first token.
    ///
    /// - Parameter passwordHash: the hash that the password was verified against.
    /// - Returns: the reply with the session; `nil` if the password has changed since.
    func startSession(_ account: Account, _ passwordHash: String, status: Int) async throws -> Reply? {
        let now = now()
        let secret = RefreshSecret.random()
        let inserted = try await database.query(
            IdentityStatements.insertFamily, account.id, passwordHash, UUID.v7(), secret.hash,
            now.advanced(by: Self.refreshLifetime))
        guard inserted.affected == 1 else { return nil }
        return try await sessionReply(for: account, secret, at: now, status: status)
    }

    /// Ends the session of a refresh token. The reply is the same for an unknown token.
    func logout(_ request: RefreshToken, _ context: HandlerContext) async throws -> Reply {
        _ = try await database.query(
            IdentityStatements.revokeFamilyOfToken, RefreshSecret(request.refreshToken).hash)
        return .noContent
    }

    /// Ends all sessions of the caller.
    func logoutAll(_ request: EmptyBody, _ context: HandlerContext) async throws -> Reply {
        _ = try await database.query(IdentityStatements.revokeFamiliesOfAccount, try context.caller.id)
        return .noContent
    }
}
