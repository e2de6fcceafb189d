internal import Contracts
internal import FoundationEssentials
internal import Postgres

/// The database row of a refresh token, joined with its account.
struct StoredRefreshToken: Sendable {
    /// How long a used token still returns its successor, for a client that lost the reply.
    static let grace: Duration = .seconds(10)

    let account: Account
    let familyID: UUID
    let expiresAt: Timestamp
    /// The exchange of this token for its successor; `nil` if the token is unused.
    let rotation: Rotation?

    struct Rotation: Sendable, Hashable {
        let at: Timestamp
        /// The successor, encrypted by ``RefreshSecret/seal(_:)``.
        let successor: [UInt8]
    }

    /// The reaction to a presented token.
    enum Decision: Sendable, Hashable {
        /// The token is unused: exchange it for a new successor.
        case rotate
        /// The token was used within the grace time: return the same successor again.
        case repeatSuccessor([UInt8])
        /// The token was used before the grace time, so two clients have it: revoke its family.
        case revokeFamily
        /// The token has expired.
        case refuse
    }

    /// Returns the reaction to the token when a client presents it at a time.
    func decision(at now: Timestamp) -> Decision {
        guard now < expiresAt else { return .refuse }
        guard let rotation else { return .rotate }
        return now.since(rotation.at) <= Self.grace ? .repeatSuccessor(rotation.successor) : .revokeFamily
    }
}

extension StoredRefreshToken {
    /// Decodes a row of ``IdentityStatements/refreshToken``.
    init(_ row: Row) throws(PostgresError) {
        account = try Account(row)
        familyID = try row.get(4, as: UUID.self)
        expiresAt = try row.get(5, as: Timestamp.self)
        if let usedAt = try row.get(6, as: Timestamp?.self) {
            rotation = Rotation(at: usedAt, successor: try row.get(7, as: [UInt8].self))
        } else {
            rotation = nil
        }
    }
}
