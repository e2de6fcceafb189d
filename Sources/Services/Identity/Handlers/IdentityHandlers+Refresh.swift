internal import Contracts
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import WorkerKit

extension IdentityHandlers {
    /// Exchanges a refresh token for a new refresh token, its successor, and a new access token.
    func refresh(_ request: RefreshToken, _ context: HandlerContext) async throws -> Reply {
        let presented = RefreshSecret(request.refreshToken)
        let transaction = try await context.transaction()
        _ = transaction.send(IdentityStatements.lockFamily, presented.hash)
        guard let row = try await transaction.query(IdentityStatements.refreshToken, presented.hash).first
        else { throw Problem(.invalidRefreshToken) }
        let stored = try StoredRefreshToken(row)
        let now = now()
        switch stored.decision(at: now) {
        case .refuse:
            throw Problem(.invalidRefreshToken)
        case .revokeFamily:
            context.log.notice(
                "a used refresh token was sent again; its family is revoked",
                metadata: ["account": "\(stored.account.id.text)"])
            _ = transaction.send(IdentityStatements.revokeFamily, stored.familyID)
            // The problem is returned, not thrown, because a thrown error would roll back the revocation.
            return .problem(Problem(.invalidRefreshToken), traceID: context.message.traceID)
        case .repeatSuccessor(let sealed):
            return try await sessionReply(for: stored.account, presented.open(sealed), at: now, status: 200)
        case .rotate:
            let successor = RefreshSecret.random()
            try rotate(presented, to: successor, stored.familyID, at: now, in: transaction)
            return try await sessionReply(for: stored.account, successor, at: now, status: 200)
        }
    }

    private func rotate(
        _ presented: RefreshSecret, to successor: RefreshSecret, _ familyID: UUID, at now: Timestamp,
        in transaction: Transaction
    ) throws {
        let expiresAt = now.advanced(by: Self.refreshLifetime)
        let sealed = try presented.seal(successor)
        _ = transaction.send(IdentityStatements.useRefreshToken, presented.hash, now, sealed)
        _ = transaction.send(IdentityStatements.insertRefreshToken, successor.hash, familyID, expiresAt)
        _ = transaction.send(IdentityStatements.extendFamily, familyID, expiresAt)
    }
}
