internal import Contracts
internal import FoundationEssentials
internal import Postgres

/// A refresh token as the database knows it, with the account it speaks for.
struct StoredRefreshToken: Sendable {
    /// How long a used token still gives its successor, for a client whose answer was lost.
    static let grace: Duration = .seconds(10)

    let account: Account
    let familyID: UUID
    let expiresAt: Timestamp
    /// When it was used, and its successor, sealed.
    let use: Use?

    struct Use: Sendable, Hashable {
        let at: Timestamp
        let successor: [UInt8]
    }

    /// What is to be done when it is presented.
    enum Decision: Sendable, Hashable {
        /// It is used for the first time: a successor takes its place.
        case rotate
        /// It was used just now: the same successor is given again.
        case giveAgain([UInt8])
        /// It was used before, and so is in two hands: nobody may use its family any more.
        case revokeFamily
        /// It is too old.
        case refuse
    }

    func decision(at now: Timestamp) -> Decision {
        guard now < expiresAt else { return .refuse }
        guard let use else { return .rotate }
        return now.since(use.at) <= Self.grace ? .giveAgain(use.successor) : .revokeFamily
    }
}

extension StoredRefreshToken {
    /// Reads a row of `IdentityStatements.refreshToken`.
    init(_ row: Row) throws(PostgresError) {
        account = try Account(row)
        familyID = try row.get(4, as: UUID.self)
        expiresAt = Timestamp(milliseconds: try row.get(5, as: PostgresTimestamp.self).milliseconds)
        if let usedAt = try row.get(6, as: PostgresTimestamp?.self) {
            use = Use(
                at: Timestamp(milliseconds: usedAt.milliseconds), successor: try row.get(7, as: [UInt8].self))
        } else {
            use = nil
        }
    }
}
