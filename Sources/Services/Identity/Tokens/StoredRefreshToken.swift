internal import Contracts
internal import FoundationEssentials
internal import Postgres

/// The database row of a refresh token, joined with its account.
struct StoredRefreshToken: Sendable {
    /// How long after its first use a token returns its successor again, for a client that lost the reply.
    static let grace: Duration = .seconds(10)

    /// The maximum number of tokens of a session that have not expired. A client that refreshes every 15 minutes needs
    /// 672, because a token expires after 7 days. Used tokens are not deleted before they expire, because their reuse
    /// shows that a token was stolen.
    static let maximumTokenCount: Int64 = 1000
    /// The maximum age of a session. After this time, a stolen refresh token is useless even if its owner never noticed
    /// the theft.
    static let maximumSessionAge: Duration = .seconds(90 * 24 * 3600)

    let account: Account
    let familyID: UUID
    let expiresAt: Timestamp
    /// The number of tokens of the session.
    let tokenCount: Int64
    /// The exchange of this token for its successor; `nil` if the token is unused.
    let rotation: Rotation?

    struct Rotation: Sendable, Hashable {
        let at: Timestamp
        /// The successor, encrypted by ``RefreshSecret/seal(_:)``.
        let successor: [UInt8]
    }

    /// The decision about a token that a client sent.
    enum Decision: Sendable, Hashable {
        /// The token is unused: exchange it for a new successor.
        case rotate
        /// The token was first used at most ``grace`` ago: return the same successor again.
        case repeatSuccessor([UInt8])
        /// The token was first used more than ``grace`` ago, so two clients probably have it: revoke its family.
        case revokeFamily
        /// The token has expired, or its session is too old or was refreshed too often.
        case refuse
    }

    /// Returns the decision about this token if a client sends it at the time `now`.
    func decision(at now: Timestamp) -> Decision {
        // The id of a family contains the time of the login.
        let isTooOld = familyID.timestamp.map { now.since($0) >= Self.maximumSessionAge } ?? false
        guard now < expiresAt, !isTooOld else { return .refuse }
        guard let rotation else { return tokenCount < Self.maximumTokenCount ? .rotate : .refuse }
        return now.since(rotation.at) <= Self.grace ? .repeatSuccessor(rotation.successor) : .revokeFamily
    }
}

extension StoredRefreshToken {
    /// Decodes a row of ``IdentityStatements/refreshToken``.
    init(_ row: Row) throws(PostgresError) {
        account = try Account(row)
        familyID = try row.get(4, as: UUID.self)
        expiresAt = try row.get(5, as: Timestamp.self)
        tokenCount = try row.get(8, as: Int64.self)
        if let usedAt = try row.get(6, as: Timestamp?.self) {
            rotation = Rotation(at: usedAt, successor: try row.get(7, as: [UInt8].self))
        } else {
            rotation = nil
        }
    }
}
