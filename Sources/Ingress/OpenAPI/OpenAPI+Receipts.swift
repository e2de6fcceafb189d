internal import Contracts

// The receipts of each service with the types of its commands' replies. The contract of the queues has one receipt for
// all services.
extension OpenAPI {
    /// Returns the shape of a receipt whose result can be the reply to any command of a service, or a problem.
    static func receiptShape(of service: ServiceName) -> Shape {
        let name = service.rawValue.prefix(1).uppercased() + service.rawValue.dropFirst()
        let replies = Messages.descriptors.filter { $0.service == service && $0.kind == .command }.compactMap(\.reply)
        var seen: Set<Shape> = []
        let bodies = replies.filter { seen.insert($0).inserted } + [.object(Problem.shape)]
        return receipt(named: "\(name)Receipt") { field in
            guard field.name == "result", case .object(var result) = field.shape else { return field }
            result.name = "\(name)ReceiptResult"
            result.fields = result.fields.map { field in
                var field = field
                if field.name == "body" { field.shape = .nullable(.anyOf(bodies)) }
                return field
            }
            var field = field
            field.shape = .object(result)
            return field
        }
    }

    /// The shape of the receipt in a 202 response.
    static let acceptedReceipt = receipt(named: "AcceptedReceipt") { field in
        guard field.name != "result" else { return nil }
        var field = field
        if case .string(var status) = field.shape, field.name == "status" {
            status.values = [Receipt.Status.accepted.rawValue]
            field.shape = .string(status)
        }
        return field
    }

    /// Returns the shape of a receipt with changed fields. A field for which the closure returns `nil` is left out.
    private static func receipt(named name: String, _ change: (FieldShape) -> FieldShape?) -> Shape {
        guard case .object(var receipt) = Receipt.schema.shape else { return Receipt.schema.shape }
        receipt.name = name
        receipt.fields = receipt.fields.compactMap(change)
        return .object(receipt)
    }

    /// Returns the shape of the successful response of a route that sends a message; `nil` if it has no body.
    static func reply(_ message: MessageDescriptor, _ source: BodySource) -> Shape? {
        source == .receipt ? receiptShape(of: message.service) : message.reply
    }
}
