import Contracts
import Foundation
import Testing

@Suite("The files of the queue contract are those that the program has")
struct ContractFileTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "queues")

    @Test("no file has drifted from the messages", arguments: ContractFiles.all.map(\.path))
    func drift(path: String) throws {
        let made = try #require(ContractFiles.all.first { $0.path == path })
        let found = try? String(contentsOf: Self.folder.appending(path: path), encoding: .utf8)
        #expect(
            found == made.text,
            "queues/\(path) has drifted: run `swift run warren contracts export queues` and commit it")
    }

    @Test("no schema is left of a message that is gone")
    func noOthers() throws {
        let folder = Self.folder.appending(path: ContractFiles.schemaFolder)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        #expect(Set(names) == Set(SchemaDocuments.all.map(\.name)))
    }

    @Test("every message has a schema for its body and for its reply, unless it has none")
    func complete() {
        let types = SchemaDocuments.all.map(\.type)
        #expect(Set(types).count == types.count)
        for message in Messages.all {
            #expect(types.contains(message.name) == (message.name != "media.upload"))
            #expect(types.contains(message.replyName) == (message.status != 204))
        }
        for event in EventDescriptor.all { #expect(types.contains(event.type)) }
        #expect(types.last == "problem")
    }

    @Test("the AsyncAPI document has every message, and names the exchanges and queues of the topology")
    func asyncAPI() throws {
        let document = AsyncAPI.document
        let operations = try #require(document["operations"])
        for message in Messages.all {
            let operation = try #require(operations[message.name])
            #expect(operation["action"] == "receive")
            #expect(operation["bindings"]?["amqp"]?["deliveryMode"] == (message.kind == .command ? 2 : 1))
            #expect(operation["reply"]?["channel"]?["$ref"] == "#/channels/replies")
            let channel = try #require(document["channels"]?[message.name])
            #expect(channel["bindings"]?["amqp"]?["exchange"]?["name"]?.string == Exchange.commands)
            #expect(channel["description"]?.string?.contains("\(message.queue);") == true)
        }
        for event in EventDescriptor.all { #expect(operations[event.type]?["action"] == "send") }
    }

    @Test("every reference in the AsyncAPI document leads somewhere")
    func references() throws {
        let document = AsyncAPI.document
        for reference in Self.references(in: document) {
            if reference.hasPrefix("./") {
                let name = String(reference.dropFirst(2))
                #expect(ContractFiles.all.contains { $0.path == name }, "\(reference)")
            } else {
                let place = reference.dropFirst(2).split(separator: "/")
                let found = place.reduce(document) { $0?[String($1)] }
                #expect(found != nil, "\(reference)")
            }
        }
    }

    private static func references(in json: JSON) -> [String] {
        switch json {
        case .object(let object):
            object.members.flatMap { member in
                member.name == "$ref" ? [member.value.string ?? ""] : references(in: member.value)
            }
        case .array(let elements): elements.flatMap(references(in:))
        default: []
        }
    }
}
