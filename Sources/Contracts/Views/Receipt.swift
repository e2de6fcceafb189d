package import FoundationEssentials

/// What became of a command.
package struct Receipt: Described, Hashable {
    /// How far a command has come.
    package enum Status: String, Sendable, Hashable, CaseIterable {
        case accepted
        case done
    }

    /// The reply that the command got.
    package struct Outcome: Described, Hashable {
        /// The HTTP status.
        package let status: Int
        /// The JSON of the reply; `null` where it has no body.
        package let body: JSON

        package init(status: Int, body: JSON) {
            self.status = status
            self.body = body
        }

        package static let schema = Schema<Outcome>.object(
            "ReceiptResult", unknownFields: .ignored,
            field("status", \.status, .integer(100...599)),
            field("body", \.body, .any, default: .null),
            make: Outcome.init)
    }

    /// The message id of the command.
    package let id: UUID
    package let status: Status
    /// None until it is done.
    package let result: Outcome?

    package init(id: UUID, result: Outcome?) {
        self.id = id
        self.result = result
        status = result == nil ? .accepted : .done
    }

    package static let schema = Schema<Receipt>.object(
        "Receipt", unknownFields: .ignored,
        field("id", \.id, .uuid),
        field("status", \.status, .oneOf()),
        optionalField("result", \.result, Outcome.schema)
    ) { id, _, result in Receipt(id: id, result: result) }
}
