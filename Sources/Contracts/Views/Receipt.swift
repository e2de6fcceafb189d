package import FoundationEssentials

/// The state of a command, which the command's caller can query by the message id of the command.
package struct Receipt: SchemaCodable, Hashable {
    /// `done` if the service has stored the reply of the command, which can be a refusal; otherwise `accepted`. An
    /// unknown command is also `accepted`.
    package enum Status: String, Sendable, Hashable, CaseIterable {
        case accepted
        case done
    }

    /// The message id of the command.
    package let id: UUID
    package let status: Status
    /// The stored reply; `nil` if the status is `accepted`.
    package let result: CommandResult?

    package init(id: UUID, result: CommandResult?) {
        self.id = id
        self.result = result
        status = result == nil ? .accepted : .done
    }

    package static let schema = Schema<Receipt>.object(
        "Receipt", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("status", \.status, .oneOf()),
        optionalField("result", \.result, CommandResult.schema)
    ) { id, _, result in Receipt(id: id, result: result) }
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
