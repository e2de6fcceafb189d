package import FoundationEssentials

/// Someone has an account. The email stays with identity.
package struct AccountRegistered: DomainEvent {
    package let id: UUID
    package let username: String
    package let createdAt: Timestamp

    package init(id: UUID, username: String, createdAt: Timestamp) {
        self.id = id
        self.username = username
        self.createdAt = createdAt
    }

    package static let type = "account.registered"
    package static let service = ServiceName.identity
    package var subject: UUID { id }

    package static let schema = Schema<AccountRegistered>.object(
        "AccountRegistered", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("username", \.username, .string),
        field("createdAt", \.createdAt, .timestamp),
        make: AccountRegistered.init)
}
