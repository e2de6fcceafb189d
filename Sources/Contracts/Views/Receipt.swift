package import FoundationEssentials

/// The state of a command, which the command's caller can query by the message id of the command.
package struct Receipt: SchemaCodable, Hashable {
    /// The states of a command.
    package enum Status: String, Sendable, Hashable, CaseIterable {
        /// The service has stored no result. The command waits or runs, or the service does not know it.
        case accepted
        /// The service has stored the reply of the command, which can be a refusal.
        case done
        /// The command was given up. The status becomes `done` if the command is replayed or sent again, and succeeds.
        case failed
    }

    /// The message id of the command.
    package let id: UUID
    package let status: Status
    /// The stored reply, or the problem of a command that was given up; `nil` if the status is `accepted`.
    package let result: CommandResult?

    package init(id: UUID, status: Status, result: CommandResult? = nil) {
        self.id = id
        self.status = status
        self.result = result
    }

    package static let schema = Schema<Receipt>.object(
        "Receipt", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("status", \.status, .oneOf()),
        optionalField("result", \.result, CommandResult.schema),
        make: Receipt.init)
}

/// The reply to a command, as a receipt contains it.
package struct CommandResult: SchemaCodable, Hashable {
    /// The HTTP status.
    package let status: Int
    /// The body of the reply; `null` if the reply has no JSON body.
    package let body: JSON

    package init(status: Int, body: JSON) {
        self.status = status
        self.body = body
    }

    package static let schema = Schema<CommandResult>.object(
        "ReceiptResult", unknownFields: .ignored,
        field("status", \.status, .integer(100...599)),
        field("body", \.body, .any, default: .null),
        make: CommandResult.init)
}
