internal import ASCII
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// The handlers of the identity service's messages.
@Loop struct IdentityHandlers {
    /// The lifetime of a refresh token.
    static let refreshLifetime: Duration = .seconds(7 * 24 * 3600)

    let database: PostgresPool
    let signer: AccessTokenSigner
    let passwords: PasswordHasher
    let throttle: LoginThrottle
    /// Returns the current time, from which the issue and expiry times of tokens are computed.
    let now: @Sendable () -> Timestamp

    /// Replies with the caller's account.
    func me(_ request: EmptyBody, _ context: HandlerContext) async throws -> Reply {
        guard let (account, _) = try await account(IdentityStatements.accountByID, try context.caller.id)
        else { throw Problem(.invalidToken) }
        return .json(account.jsonBytes())
    }

    /// Returns a reply with a session: the account, a new access token and a refresh token.
    func sessionReply(
        for account: Account, _ refreshToken: RefreshSecret, at now: Timestamp, status: Int
    ) async throws -> Reply {
        let session = Session(
            account: account, accessToken: try await signer.sign(for: account, at: now),
            refreshToken: refreshToken.text, expiresIn: AccessTokenSigner.lifetime)
        return .json(session.jsonBytes(), status: status)
    }

    /// Returns an account and its password hash; `nil` if there is no such account.
    ///
    /// - Parameters:
    ///   - statement: a query of ``IdentityStatements`` for one account.
    ///   - key: the statement's parameter: the id, or the email in lower case.
    func account(_ statement: Statement, _ key: some PostgresEncodable) async throws(PostgresError)
        -> (account: Account, passwordHash: String)?
    {
        guard let row = try await database.query(statement, key).first else { return nil }
        return (try Account(row), try row.get(4))
    }

    /// Returns whether a password is the account's, for messages other than a login.
    ///
    /// A wrong password counts as a failed login. Otherwise an attacker could guess passwords with such messages
    /// without the delays of failed logins.
    func verifyPassword(_ password: String, of account: Account, _ hash: String) async throws -> Bool {
        try await throttle.attempt(on: account.email.utf8.lowercasedASCII) {
            try await passwords.verify(password, against: hash) ? true : nil
        } ?? false
    }
}
