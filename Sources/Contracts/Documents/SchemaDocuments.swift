/// The schema of each thing that travels, as `queues/schemas/` has it: JSON Schema 2020-12, one file per message body.
package enum SchemaDocuments {
    /// A file by its name, which is the `type` property of the message that has such a body, and its content.
    package struct File: Sendable, Hashable {
        /// Of the message: `post.create`, `post.create.reply`, `post.created`; `problem`, which is in many replies.
        package let type: String
        package let schema: JSON

        /// The file's name.
        package var name: String { type + ".json" }
    }

    /// Every file, in the order of the contract.
    package static let all: [File] =
        Messages.all.flatMap(files)
        + EventDescriptor.all.map { file($0.type, $0.envelope, "Published by the \($0.service.rawValue) service.") } + [
            file("problem", .object(Problem.shape), "What went wrong (RFC 9457); `application/problem+json`.")
        ]

    private static func files(_ message: MessageDescriptor) -> [File] {
        var files: [File] = []
        if let request = message.request { files.append(file(message.name, request, message.summary)) }
        if let reply = message.reply {
            files.append(
                file(message.replyName, reply, "The reply to \(message.name) where its status is \(message.status)."))
        }
        return files
    }

    private static func file(_ type: String, _ shape: Shape, _ description: String) -> File {
        var schema: JSONObject = [
            .init(name: "$schema", value: "https://json-schema.org/draft/2020-12/schema"),
            .init(name: "$id", value: .string("urn:warren:schema:\(type)")),
        ]
        if case .object(let object) = shape.jsonSchema() {
            schema.members += object.members.prefix { $0.name == "title" }
            schema.add("description", .string(description))
            schema.members += object.members.drop { $0.name == "title" }
        }
        return File(type: type, schema: .object(schema))
    }
}

extension JSONObject: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: Member...) { self.init(elements) }
}
