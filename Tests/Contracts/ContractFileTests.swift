import Contracts
import Foundation
import TestSupport
import Testing

@Suite("Generated files of the queue contract")
struct ContractFileTests {
    private static let command = "run `swift run warren contracts export queues` and commit the result"

    @Test("a generated file in queues/ is up to date", arguments: ContractFile.all.map(\.path))
    func drift(path: String) throws {
        let generated = try #require(ContractFile.all.first { $0.path == path })
        let found = try? RepositoryFile("queues/\(path)").text
        #expect(found == generated.text, "queues/\(path) is out of date: \(Self.command)")
    }

    @Test(
        "a generated table of queues/README.md has a row for each message or event type, and no other rows",
        arguments: ContractTable.all)
    func tables(table: ContractTable) throws {
        let readme = try RepositoryFile("queues/README.md").text
        let lines = Set(readme.split(separator: "\n").map(String.init))
        for row in table.lines {
            #expect(lines.contains(row), "queues/README.md lacks the row \(row): \(Self.command)")
        }
        let updated = try #require(
            table.replacing(in: readme), "queues/README.md lacks the comments around the table of \(table.name)")
        #expect(readme == updated, "queues/README.md has other rows in the table of \(table.name): \(Self.command)")
    }

    @Test("queues/client_tour.py sends each message type, lists the commands in COMMANDS, and awaits each event type")
    func tour() throws {
        let lines = try RepositoryFile("queues/client_tour.py").text.split(separator: "\n")
        let commands = try #require(lines.first { $0.hasPrefix("COMMANDS = ") })
        let tour = lines.filter { $0 != commands }.joined(separator: "\n")
        for message in Messages.descriptors {
            #expect(tour.contains("\"\(message.name)\","), "queues/client_tour.py does not send \(message.name)")
        }
        for event in EventDescriptor.all {
            let isAwaited = tour.contains("await_event(\"\(event.type)\",")
            #expect(isAwaited, "queues/client_tour.py does not await \(event.type)")
        }
        let names = commands.split(separator: "\"").filter { $0.contains(".") }.map(String.init)
        #expect(Set(names) == Set(Messages.descriptors.filter { $0.kind == .command }.map(\.name)))
    }

    @Test("queues/schemas/ contains the generated schemas and no other file")
    func noOthers() throws {
        let folder = RepositoryFile("queues/\(ContractFile.schemaFolder)").url.path(percentEncoded: false)
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: folder)) == Set(SchemaDocument.all.map(\.name)))
    }

    @Test("each message type has a schema of its JSON request and of its JSON reply, and each event type has a schema")
    func complete() {
        let types = SchemaDocument.all.map(\.type)
        #expect(Set(types).count == types.count)
        for message in Messages.descriptors {
            #expect(types.contains(message.name) == (message.name != "media.upload"), "\(message.name)")
            #expect(types.contains(message.replyName) == (message.status != 204), "\(message.replyName)")
        }
        for event in EventDescriptor.all { #expect(types.contains(event.type), "\(event.type)") }
        #expect(types.last == "problem")
    }

    @Test("the AsyncAPI document has an operation for each message and event type, and a channel for each message type")
    func asyncAPI() throws {
        let document = AsyncAPI.document
        let operations = try #require(document["operations"])
        for message in Messages.descriptors {
            let operation = try #require(operations[message.name], "\(message.name)")
            #expect(operation["action"] == "receive")
            #expect(operation["bindings"]?["amqp"]?["deliveryMode"] == (message.kind == .command ? 2 : 1))
            #expect(operation["reply"]?["channel"]?["$ref"] == "#/channels/replies")
            let channel = try #require(document["channels"]?[message.name], "\(message.name)")
            #expect(channel["bindings"]?["amqp"]?["exchange"]?["name"]?.string == Exchange.commands)
            #expect(channel["description"]?.string?.contains(" \(message.queue).") == true)
        }
        for event in EventDescriptor.all { #expect(operations[event.type]?["action"] == "send", "\(event.type)") }
    }

    @Test("the AsyncAPI document has an example of each JSON body")
    func asyncAPIExamples() throws {
        let messages = try #require(AsyncAPI.document["components"]?["messages"])
        func example(_ type: String) -> JSON? { messages[type]?["examples"]?.array?.first?["payload"] }
        for message in Messages.descriptors {
            #expect((example(message.name) != nil) == (message.request != nil), "\(message.name)")
            #expect((example(message.replyName) != nil) == (message.reply != nil), "\(message.replyName)")
        }
        for event in EventDescriptor.all { #expect(example(event.type) != nil, "\(event.type)") }
    }

    @Test("every reference in the AsyncAPI document can be resolved")
    func references() throws {
        let document = AsyncAPI.document
        for reference in Self.references(in: document) {
            if reference.hasPrefix("./") {
                let name = String(reference.dropFirst(2))
                #expect(ContractFile.all.contains { $0.path == name }, "\(reference)")
            } else {
                let path = reference.dropFirst(2).split(separator: "/")
                let found = path.reduce(document) { $0?[String($1)] }
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
