internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import WorkerKit

extension IdentityHandlers {
    /// Creates an account and starts a session for it.
    func register(_ request: Register, _ context: HandlerContext) async throws -> Reply {
        let hash = try await passwords.hash(request.password)
        let now = now()
        let account = Account(id: context.newID, username: request.username, email: request.email, createdAt: now)
        let transaction = try await context.transaction()
        let isNew: Bool
        do {
            isNew =
                try await transaction.query(
                    IdentityStatements.insertAccount, account.id, account.username, account.email, hash, now
                ).affected == 1
        } catch  where error.isUniqueViolation() {
            throw Problem(.accountExists)
        }
        guard isNew else { return try await replyToRedelivery(request, account.id) }
        context.emit(AccountRegistered(id: account.id, username: account.username, createdAt: now))
        let secret = RefreshSecret.random()
        _ = transaction.send(
            IdentityStatements.insertFamily, account.id, hash, UUID.v7(), secret.hash,
            now.advanced(by: Self.refreshLifetime))
        return try await sessionReply(for: account, secret, at: now, status: 201)
    }

    /// Starts another session if a registration is redelivered and its account exists.
    ///
    /// This happens if a worker dies between its commit and its reply. The inbox has no reply to send again,
    /// because a stored reply would contain tokens. The password is verified, because another sender can use
    /// the same message id.
    private func replyToRedelivery(_ request: Register, _ id: UUID) async throws -> Reply {
        guard let stored = try await account(IdentityStatements.accountByID, id),
            stored.account.username == request.username, stored.account.email == request.email,
            try await verifyPassword(request.password, of: stored.account, stored.passwordHash),
            let reply = try await startSession(stored.account, stored.passwordHash, status: 201)
        else { throw Problem(.accountExists) }
        return reply
    }
}
