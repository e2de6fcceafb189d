internal import ASCII
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import WorkerKit

extension IdentityHandlers {
    /// Starts a session if an account has the email and the password.
    func login(_ request: Login, _ context: HandlerContext) async throws -> Reply {
        let email = try EmailKey.of(request.email)
        // An unknown email takes the same steps, so that neither the reply nor the response time reveals whether
        // an account exists.
        let found = try await throttle.attempt(on: email) {
            let found = try await account(IdentityStatements.accountByEmail, email)
            let isRight = try await passwords.verify(request.password, against: found?.passwordHash)
            return isRight ? found : nil
        }
        guard let found, let reply = try await startSession(found.account, found.passwordHash, status: 200)
        else { throw Problem(.invalidCredentials) }
        return reply
    }

    /// Starts a session: inserts a family, which is the refresh tokens of one session, with its first token.
    ///
    /// - Parameter passwordHash: the hash against which the password was verified.
    /// - Returns: the reply with the session; `nil` if the account's hash is no longer this one.
    func startSession(_ account: Account, _ passwordHash: String, status: Int) async throws -> Reply? {
        let now = now()
        let secret = RefreshSecret.random()
        let inserted = try await database.query(
            IdentityStatements.insertFamily, account.id, passwordHash, UUID.v7(), secret.hash,
            now.advanced(by: Self.refreshLifetime))
        guard inserted.affected == 1 else { return nil }
        return try await sessionReply(for: account, secret, at: now, status: status)
    }

    /// Ends the session of a refresh token. For an unknown token it does nothing and returns the same reply.
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
