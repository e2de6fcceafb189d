package import FoundationEssentials

/// An account was created. The event contains no email address, because only the identity service may know it.
package struct AccountRegistered: ContractEvent {
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
    package static let summary = "An account was created."
    package static let subscribers: [ServiceName] = []
    package static let example = AccountRegistered(id: .example, username: "ada", createdAt: .example)
    package var subject: UUID { id }

    package static let schema = Schema<AccountRegistered>.object(
        "AccountRegistered", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("username", \.username, .string),
        field("createdAt", \.createdAt, .timestamp),
        make: AccountRegistered.init)
}
