/// A file in `queues/schemas/`: the JSON Schema 2020-12 of a message body.
package struct SchemaDocument: Sendable, Hashable {
    /// The `type` property of the messages that have this body, for example `post.create`; `problem` for problems.
    package let type: String
    package let schema: JSON

    /// The name of the file.
    package var name: String { type + ".json" }
}

extension SchemaDocument {
    /// All files: requests with their replies, then events, then the problem.
    package static let all: [SchemaDocument] =
        Messages.descriptors.flatMap(documents)
        + EventDescriptor.all.map { event in
            SchemaDocument(
                event.type, event.envelope, "\(event.summary) Published by the \(event.service.rawValue) service.")
        } + [
            SchemaDocument("problem", .object(Problem.shape), "A problem (RFC 9457), `application/problem+json`.")
        ]

    private static func documents(_ message: MessageDescriptor) -> [SchemaDocument] {
        var documents: [SchemaDocument] = []
        if let request = message.request { documents.append(SchemaDocument(message.name, request, message.summary)) }
        if let reply = message.reply {
            let description = "The successful reply to \(message.name), with the status \(message.status)."
            documents.append(SchemaDocument(message.replyName, reply, description))
        }
        return documents
    }

    private init(_ type: String, _ shape: Shape, _ description: String) {
        self.type = type
        schema = .object { schema in
            schema.add("$schema", "https://json-schema.org/draft/2020-12/schema")
            schema.add("$id", .string("urn:warren:schema:\(type)"))
            guard case .object(let object) = shape.jsonSchema() else { return }
            schema.members += object.members.prefix { $0.name == "title" }
            schema.add("description", .string(description))
            schema.members += object.members.drop { $0.name == "title" }
        }
    }
}
