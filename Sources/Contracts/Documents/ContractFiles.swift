/// The files of `queues/` that are made from this module; the rest of them is written by hand.
package enum ContractFiles {
    /// A file as it should be.
    package struct File: Sendable, Hashable {
        /// Below `queues/`.
        package let path: String
        package let text: String
    }

    /// The folder that has no other files than these.
    package static let schemaFolder = "schemas"

    /// All of them.
    package static let all: [File] =
        SchemaDocuments.all.map { File(path: "\(schemaFolder)/\($0.name)", text: $0.schema.pretty()) } + [
            File(
                path: "asyncapi.yaml",
                text: "# Made by `warren contracts export queues`; do not edit.\n" + AsyncAPI.document.yaml())
        ]
}
