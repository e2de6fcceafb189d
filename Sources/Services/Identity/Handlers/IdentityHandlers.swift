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
    /// The clock that decides when tokens are issued and expire.
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
    func account(_ statement: Statement, _ key: some PostgresEncodable) async throws(PostgresError)
        -> (account: Account, passwordHash: String)?
    {
        guard let row = try await database.query(statement, key).first else { return nil }
        return (try Account(row), try row.get(4))
    }

    /// Returns whether a password is an account's, for messages other than a login.
    ///
    /// Failures count as failed logins, because an attacker could otherwise guess faster through such a
    /// message.
    func verifyPassword(_ password: String, of account: Account, _ hash: String) async throws -> Bool {
        try await throttle.attempt(on: account.email.asciiLowercased) {
            try await passwords.verify(password, against: hash) ? true : nil
        } ?? false
    }
}

extension String {
    /// The text with the letters A to Z in lower case, as PostgreSQL's `lower` with the collation "C" returns
    /// it.
    var asciiLowercased: String {
        let folded = utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        return String(decoding: folded, as: UTF8.self)
    }
}
