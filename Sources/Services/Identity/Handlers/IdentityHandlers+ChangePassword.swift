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
        guard !account.hasUsernameOrEmail(request.newPassword) else {
            throw Problem.invalid("/newPassword", "must not be the username or the email")
        }
        let newHash = try await passwords.hash(request.newPassword)
        let transaction = try await context.transaction()
        let changed = transaction.send(IdentityStatements.changePassword, caller.id, oldHash, newHash)
        // This statement is separate from the change. Its snapshot is taken after the change has the account's
        // row lock, so it includes the token families of all logins that held the lock before.
        _ = transaction.send(IdentityStatements.revokeFamiliesOfAccount, caller.id)
        guard try await changed.rows().affected == 1 else { throw Problem(.invalidCredentials) }
        return .noContent
    }
}

extension Account {
    /// Returns whether a text is the account's username or email, in any letter case.
    fileprivate func hasUsernameOrEmail(_ text: String) -> Bool {
        let text = text.lowercased()
        return text == username.lowercased() || text == email.lowercased()
    }
}
