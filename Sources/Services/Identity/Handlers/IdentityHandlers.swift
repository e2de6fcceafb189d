internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor
internal import WorkerKit

/// What the identity service answers; one file for each message.
@Loop struct IdentityHandlers {
    /// How long a refresh token is good for, from its own making.
    static let refreshLifetime: Duration = .seconds(7 * 24 * 3600)

    let database: PostgresPool
    let tokens: AccessTokens
    let passwords: Passwords
    let failedLogins: FailedLogins
    /// The clock that tokens are made and judged by.
    let now: @Sendable () -> Timestamp

    /// What someone is given who has just proved who they are.
    func session(for account: Account, _ refreshToken: RefreshSecret, at now: Timestamp, status: Int) async throws
        -> Reply
    {
        let session = Session(
            account: account, accessToken: try await tokens.sign(for: account, at: now),
            refreshToken: refreshToken.text, expiresIn: AccessTokens.lifetime)
        return .json(session.jsonBytes(), status: status)
    }

    /// An account and the hash of its password.
    func account(_ statement: Statement, _ key: some PostgresEncodable) async throws(PostgresError)
        -> (account: Account, passwordHash: String)?
    {
        guard let row = try await database.query(statement, key).first else { return nil }
        return (try Account(row), try row.get(4))
    }

    /// Checks a password where no login does: nobody must guess it there faster than at a login.
    func isPassword(_ password: String, of account: Account, _ hash: String) async throws -> Bool {
        try await failedLogins.attempt(on: account.email.foldedASCII) {
            try await passwords.verify(password, against: hash) ? true : nil
        } ?? false
    }
}
