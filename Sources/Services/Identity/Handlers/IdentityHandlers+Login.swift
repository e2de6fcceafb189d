internal import Argon2
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import WorkerKit

extension IdentityHandlers {
    /// Begins a session for who knows an account's email and password.
    func login(_ request: Login, _ context: HandlerContext) async throws -> Reply {
        let found = try await account(IdentityStatements.accountByEmail, request.email.foldedASCII)
        // An unknown account takes a hash of the same cost, so that neither answer nor time tells the two apart.
        let isRight = try await PasswordHash.verify(request.password, against: found?.passwordHash ?? Self.noPassword)
        guard let found, isRight, let reply = try await begin(found.account, found.passwordHash, status: 200)
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

    /// A hash that no password is known to have.
    static let noPassword: String = {
        let cost = Argon2Cost.standard
        let salt = String(repeating: "A", count: 22)
        let hash = String(repeating: "A", count: 43)
        return "$argon2id$v=19$m=\(cost.memory),t=\(cost.passes),p=\(cost.lanes)$\(salt)$\(hash)"
    }()
}

extension String {
    /// The text with the letters A to Z in lower case, as the collation "C" folds it.
    fileprivate var foldedASCII: String {
        let folded = utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        return String(decoding: folded, as: UTF8.self)
    }
}
