import FoundationEssentials
import Postgres
import Reactor

@testable import Contracts
@testable import WorkerKit

/// The event that the sample service publishes.
struct ThingMade: DomainEvent {
    let id: UUID

    static let type = "kitmade." + String(UInt64.random(in: .min ... .max), radix: 36)
    static let service = ServiceName.post
    var subject: UUID { id }
    static let schema = Schema<ThingMade>.object(
        "ThingMade", unknownFields: .ignored, field("id", \.id, .uuid), make: ThingMade.init)
}

/// A service with three commands, a query and a credential. Each effect of a command adds a row to the table `effect`,
/// so a command with two effects is visible there.
@Loop final class SampleService {
    typealias Hook = @Loop (UUID, HandlerContext) async throws -> Void

    static let migrations = [
        Migration(
            name: "things-0001",
            sql: """
                CREATE TABLE thing (id uuid PRIMARY KEY);
                CREATE TABLE effect (thing uuid NOT NULL, message uuid);
                """)
    ]

    let create: MessageType<EntityRequest, EmptyBody>
    let delete: MessageType<EntityRequest, EmptyBody>
    let read: MessageType<EntityRequest, EmptyBody>
    let login: MessageType<EntityRequest, EmptyBody>
    /// Like `create`, but handled in batches.
    let createBatched: MessageType<EntityRequest, EmptyBody>
    /// Has no handler unless a test adds one.
    let receipt: MessageType<ReceiptRequest, Receipt>

    /// Runs at the start of a batch.
    var onBatch: (@Loop (Batch<EntityRequest>) async throws -> Void)?
    /// Returns how many replies to a batch the handler leaves out, which is a bug of the handler.
    var missingReplies: (@Loop (Batch<EntityRequest>) -> Int)?
    /// Whether `create` looks up its stored reply first.
    var checksInbox = false
    /// Runs at the start of a handler.
    var onBegin: Hook?
    /// Runs at the end of a handler.
    var onEnd: Hook?
    /// Runs after the commit and before the reply.
    var afterCommit: (@Loop () async -> Void)?
    /// The number of handler calls.
    private(set) var begun = 0
    private(set) var inFlight = 0
    private(set) var mostInFlight = 0

    private static let insertEffect = Statement("INSERT INTO effect (thing, message) VALUES ($1, $2)")
    private static let insertThing = Statement("INSERT INTO thing (id) VALUES ($1) ON CONFLICT DO NOTHING")
    private static let insertEffects = Statement("INSERT INTO effect (thing) SELECT * FROM unnest($1)")
    private static let deleteThing = Statement("DELETE FROM thing WHERE id = $1")

    init(prefix: String, needsCaller: Bool) {
        func type(_ name: String, _ kind: MessageKind) -> MessageType<EntityRequest, EmptyBody> {
            MessageType(
                "\(prefix).\(name)", kind, of: .post, "", request: .json(example: EntityRequest(id: .v7())),
                reply: .empty,
                needsCaller: needsCaller)
        }
        create = type("make", .command)
        delete = type("delete", .command)
        read = type("look", .query)
        login = type("login", .credential)
        createBatched = type("createBatched", .command)
        receipt = MessageType(
            "\(prefix).receipt", .query, of: .post, "", request: .json(example: ReceiptRequest(id: .v7())),
            reply: .json(200, example: Receipt(id: .v7(), status: .accepted)))
    }

    var commandTypes: [String] { [create.name, delete.name, createBatched.name] }
    var queryTypes: [String] { [read.name, login.name, receipt.name] }

    var handlers: [Handler] {
        [
            .request(create, afterCommit: { _ in await self.afterCommit?() }) { body, context in
                if self.checksInbox, let reply = try await context.storedReply() { return reply }
                return try await self.counting(body.id, context) {
                    let transaction = try await context.transaction()
                    transaction.send(Self.insertThing, body.id)
                    _ = try await transaction.query(Self.insertEffect, body.id, context.message.id)
                    context.emit(ThingMade(id: body.id))
                    return .json(
                        Array(#"{"nonce":"\#(UUID().text)"}"#.utf8), status: 201,
                        location: "/v1/things/\(body.id.text)",
                        etag: #""1""#)
                }
            },
            .request(delete) { body, context in
                try await self.counting(body.id, context) {
                    let rows = try await context.transaction().query(Self.deleteThing, body.id)
                    guard rows.affected == 1 else { throw Problem(.notFound, detail: UUID().text) }
                    return .noContent
                }
            },
            .batchedRequest(createBatched, afterCommit: { _ in await self.afterCommit?() }) { batch in
                try await self.onBatch?(batch)
                try await batch.transaction().send(Self.insertEffects, batch.members.map { $0.body.id })
                let replies = batch.members.map { member in
                    member.context.emit(ThingMade(id: member.body.id))
                    return Reply.json(Array(#"{"nonce":"\#(UUID().text)"}"#.utf8), status: 201)
                }
                return replies.dropLast(self.missingReplies?(batch) ?? 0)
            },
            .request(read) { body, context in
                try await self.counting(body.id, context) { .json(Array("{}".utf8)) }
            },
            .request(login) { body, context in
                try await self.counting(body.id, context) { .noContent }
            },
        ]
    }

    private func counting(_ id: UUID, _ context: HandlerContext, _ body: @Loop () async throws -> Reply)
        async throws -> Reply
    {
        begun += 1
        inFlight += 1
        mostInFlight = max(mostInFlight, inFlight)
        defer { inFlight -= 1 }
        try await onBegin?(id, context)
        let reply = try await body()
        try await onEnd?(id, context)
        return reply
    }
}
