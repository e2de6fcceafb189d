package import FoundationEssentials

/// An account, as shown to its owner.
package struct Account: SchemaCodable, Hashable {
    package let id: UUID
    package let username: String
    package let email: String
    package let createdAt: Timestamp

    package init(id: UUID, username: String, email: String, createdAt: Timestamp) {
        self.id = id
        self.username = username
        self.email = email
        self.createdAt = createdAt
    }

    package static let schema = Schema<Account>.object(
        "Account", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("username", \.username, .string),
        field("email", \.email, .string),
        field("createdAt", \.createdAt, .timestamp),
        make: Account.init)
}

/// The account and the tokens of a session that was just started or refreshed.
package struct Session: SchemaCodable, Hashable {
    package let account: Account
    package let accessToken: String
    package let refreshToken: String
    /// Seconds until the access token expires.
    package let expiresIn: Int

    package init(account: Account, accessToken: String, refreshToken: String, expiresIn: Int) {
        self.account = account
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.expiresIn = expiresIn
    }

    package static let schema = Schema<Session>.object(
        "Session", unknownFields: .ignored,
        field("account", \.account, Account.schema),
        field("accessToken", \.accessToken, .string),
        field("refreshToken", \.refreshToken, .string),
        field("tokenType", { _ in ConstantString() }, .constant("Bearer")),
        field("expiresIn", \.expiresIn, .integer(0...))
    ) { account, accessToken, refreshToken, _, expiresIn in
        Session(account: account, accessToken: accessToken, refreshToken: refreshToken, expiresIn: expiresIn)
    }
}
