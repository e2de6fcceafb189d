internal import Contracts
internal import FoundationEssentials
internal import WorkerKit

extension IdentityHandlers {
    /// Shows the caller their account.
    func me(_ request: EmptyBody, _ context: HandlerContext) async throws -> Reply {
        guard let (account, _) = try await account(IdentityStatements.accountByID, try context.caller.id)
        else { throw Problem(.invalidToken) }
        return .json(account.jsonBytes())
    }
}
