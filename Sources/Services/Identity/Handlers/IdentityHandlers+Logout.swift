internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import WorkerKit

extension IdentityHandlers {
    /// Ends the session that a refresh token belongs to; an unknown one has none, and nobody is told.
    func logout(_ request: RefreshToken, _ context: HandlerContext) async throws -> Reply {
        _ = try await database.query(
            IdentityStatements.revokeFamilyOfToken, RefreshSecret(request.refreshToken).hash)
        return .noContent
    }

    /// Ends every session of the caller.
    func logoutAll(_ request: EmptyBody, _ context: HandlerContext) async throws -> Reply {
        _ = try await database.query(IdentityStatements.revokeFamiliesOfAccount, try context.caller.id)
        return .noContent
    }
}
