internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import WorkerKit

extension IdentityHandlers {
    /// Begins a session for who knows an account's email and password.
    func login(_ request: Login, _ context: HandlerContext) async throws -> Reply {
        let email = request.email.foldedASCII
        // An unknown account is counted and checked like any other: neither answer nor time tells the two apart.
        let found = try await failedLogins.attempt(on: email) {
            let found = try await account(IdentityStatements.accountByEmail, email)
            let isRight = try await passwords.verify(request.password, against: found?.passwordHash)
            return isRight ? found : nil
        }
        guard let found, let reply = try await begin(found.account, found.passwordHash, status: 200)
        else { throw Problem(.invalidCredentials) }
        return reply
    }

    /// Begins a family of refresh tokens.
    ///
    /// - Parameter passwordHash: the hash that the password was verified against.
    /// - Returns: the session; nothing where the password has been changed since.
    func begin(_ account: Account, _ passwordHash: String, status: Int) async throws -> Reply? {
        let now = now()
        let secret = RefreshSecret.random()
        let begun = try await database.query(
            IdentityStatements.beginFamily, account.id, passwordHash, UUID.v7(), secret.hash,
            now.advanced(by: Self.refreshLifetime).stored)
        guard begun.affected == 1 else { return nil }
        return try await session(for: account, secret, at: now, status: status)
    }
}

extension String {
    /// The text with the letters A to Z in lower case, as the collation "C" folds it.
    var foldedASCII: String {
        let folded = utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        return String(decoding: folded, as: UTF8.self)
    }
}
