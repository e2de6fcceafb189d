internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import WorkerKit

extension IdentityHandlers {
    /// Changes the caller's password and ends all sessions of the account.
    func changePassword(_ request: ChangePassword, _ context: HandlerContext) async throws -> Reply {
        let caller = try context.caller
        guard let (account, oldHash) = try await account(IdentityStatements.accountByID, caller.id),
            try await verifyPassword(request.currentPassword, of: account, oldHash)
        else { throw Problem(.invalidCredentials) }
        guard !account.isNamed(request.newPassword) else {
            throw Problem.invalid("/newPassword", "must not be the username or the email")
        }
        let newHash = try await passwords.hash(request.newPassword)
        let transaction = try await context.transaction()
        let changed = transaction.send(IdentityStatements.changePassword, caller.id, oldHash, newHash)
        // A separate statement after the change, because its snapshot then includes the families that logins
        // committed while the change waited for the account's row lock.
        _ = transaction.send(IdentityStatements.revokeFamiliesOfAccount, caller.id)
        guard try await changed.rows().affected == 1 else { throw Problem(.invalidCredentials) }
        return .noContent
    }
}

extension Account {
    fileprivate func isNamed(_ password: String) -> Bool {
        let password = password.lowercased()
        return password == username.lowercased() || password == email.lowercased()
    }
}
