import Contracts
import FoundationEssentials
import Testing

/// Something that travels, with a schema in `queues/schemas/` and a decoder in the workers, and good examples of it.
struct SchemaSubject: Sendable, CustomTestStringConvertible {
    /// What a decoder says.
    enum Verdict: Sendable, Hashable {
        case taken
        /// Refused with these messages.
        case refused([String])
        /// No JSON that is taken, whatever its schema.
        case unreadable
    }

    let type: String
    let good: [JSON]
    let decode: @Sendable ([UInt8]) -> Verdict

    var testDescription: String { type }

    /// The body of a request, as a worker reads it.
    init<Request, Reply>(_ message: MessageType<Request, Reply>, _ good: JSON...) {
        type = message.name
        self.good = good
        decode = { body in
            do throws(Problem) {
                _ = try message.request.decode(body)
                return .taken
            } catch {
                return error.code == .invalid ? .refused(error.faults.map(\.message)) : .unreadable
            }
        }
    }

    /// The body of a reply, as a client in Swift reads it.
    init<Request, Reply>(replyOf message: MessageType<Request, Reply>, _ good: JSON...) {
        type = message.descriptor.replyName
        self.good = good
        let schema = message.reply
        decode = { body in
            guard let json = try? JSON.parse(body, limits: .trusted) else { return .unreadable }
            do throws(ValidationError) {
                _ = try schema?.decode(json)
                return .taken
            } catch {
                return .refused(error.faults.map(\.message))
            }
        }
    }

    /// The body of an event, as a worker reads it.
    init<Data: DomainEvent>(_ event: Data.Type, _ good: Data...) {
        type = Data.type
        self.good = good.compactMap { try? JSON.parse(CloudEvent(data: $0).jsonBytes(), limits: .trusted) }
        decode = { body in
            do throws(EventFault) {
                _ = try EventEnvelope.decode(body).decode(Data.self)
                return .taken
            } catch {
                switch error {
                case .malformed: return .unreadable
                case .invalid(let invalid): return .refused(invalid.faults.map(\.message))
                case .unexpectedType: return .refused(["is of another type"])
                }
            }
        }
    }
}

extension SchemaSubject {
    private static let id = "0190a0b0-1234-7abc-8def-0123456789ab"
    private static let time = "2025-01-31T09:05:00.123Z"
    private static let account: JSON = [
        "id": .string(id), "username": "ada", "email": "ada@example.org", "createdAt": .string(time),
    ]
    private static let session: JSON = [
        "account": account, "accessToken": "a.b.c", "refreshToken": "abc", "tokenType": "Bearer", "expiresIn": 900,
    ]
    private static let post: JSON = [
        "id": .string(id), "author": ["id": .string(id), "username": "ada"], "content": "Hello",
        "media": [["id": .string(id), "url": nil], ["id": .string(id), "url": "https://example.org/a.png"]],
        "createdAt": .string(time),
    ]
    private static let media: JSON = [
        "id": .string(id), "url": "https://example.org/a.png", "contentType": "image/png", "bytes": 1, "width": 2,
        "height": 3, "createdAt": .string(time),
    ]
    private static let receipt: JSON = [
        "id": .string(id), "status": "done", "result": ["status": 201, "body": ["id": .string(id)]],
    ]
    private static let hit: JSON = [
        "id": .string(id), "author": ["id": .string(id), "username": "ada"], "content": "Hello",
        "createdAt": .string(time), "score": 0.5, "highlight": "Hello",
    ]

    private static func page(_ name: String, _ total: String, _ item: JSON) -> JSON {
        [name: [item], "page": 1, "limit": 10, total: 1, "totalPages": 1, "nextCursor": nil]
    }

    private static let entity: JSON = ["id": .string(id)]
    private static let lists: [JSON] = [["limit": 10, "page": 2], ["limit": 100, "cursor": "aGVsbG8_-w"], [:]]

    static let all: [SchemaSubject] = requests + replies + events

    private static let requests: [SchemaSubject] = [
        SchemaSubject(
            Messages.Identity.register,
            ["username": "A.b_c-9", "email": "a.b+c@x-1.example.org", "password": "8 chars!"],
            ["username": "somebody", "email": "somebody@example.org", "password": "a longer phrase"]),
        SchemaSubject(Messages.Identity.login, ["email": "anything", "password": "x"]),
        SchemaSubject(Messages.Identity.refresh, ["refreshToken": "abc"]),
        SchemaSubject(Messages.Identity.logout, ["refreshToken": "abc"]),
        SchemaSubject(Messages.Identity.logoutAll, [:]),
        SchemaSubject(Messages.Identity.changePassword, ["currentPassword": "x", "newPassword": "8 chars!"]),
        SchemaSubject(Messages.Identity.me, [:]),
        SchemaSubject(Messages.Post.create, ["content": "x", "mediaIds": [.string(id)]], ["content": " x\n"]),
        SchemaSubject(Messages.Post.delete, entity), SchemaSubject(Messages.Post.get, entity),
        SchemaSubject(Messages.Post.list, lists[0], lists[1], lists[2]), SchemaSubject(Messages.Post.receipt, entity),
        SchemaSubject(Messages.Media.delete, entity), SchemaSubject(Messages.Media.get, entity),
        SchemaSubject(Messages.Media.list, lists[0], lists[1], lists[2]), SchemaSubject(Messages.Media.receipt, entity),
        SchemaSubject(Messages.Search.posts, ["query": "rabbits", "limit": 10, "page": 1]),
    ]

    private static let replies: [SchemaSubject] = [
        SchemaSubject(replyOf: Messages.Identity.register, session),
        SchemaSubject(replyOf: Messages.Identity.login, session),
        SchemaSubject(replyOf: Messages.Identity.refresh, session),
        SchemaSubject(replyOf: Messages.Identity.me, account),
        SchemaSubject(replyOf: Messages.Post.create, post), SchemaSubject(replyOf: Messages.Post.get, post),
        SchemaSubject(replyOf: Messages.Post.list, page("posts", "totalPosts", post)),
        SchemaSubject(replyOf: Messages.Post.receipt, receipt), SchemaSubject(replyOf: Messages.Media.upload, media),
        SchemaSubject(replyOf: Messages.Media.get, media),
        SchemaSubject(replyOf: Messages.Media.list, page("media", "totalMedia", media)),
        SchemaSubject(replyOf: Messages.Media.receipt, receipt),
        SchemaSubject(replyOf: Messages.Search.posts, page("posts", "totalPosts", hit)),
    ]

    private static let events: [SchemaSubject] = {
        let (id, time) = (UUID.v7(), Timestamp(milliseconds: 1_700_000_000_123))
        let post = Post(
            id: id, author: Author(id: id, username: "ada"), content: "Hello", media: [PostMedia(id: id, url: nil)],
            createdAt: time)
        let media = Media(
            id: id, url: "https://example.org/a.png", contentType: "image/png", bytes: 1, width: 2, height: 3,
            createdAt: time)
        return [
            SchemaSubject(AccountRegistered.self, AccountRegistered(id: id, username: "ada", createdAt: time)),
            SchemaSubject(PostCreated.self, PostCreated(post: post, mediaIds: [id])),
            SchemaSubject(PostDeleted.self, PostDeleted(id: id, authorId: id, mediaIds: [id], deletedAt: time)),
            SchemaSubject(MediaUploaded.self, MediaUploaded(media: media, ownerId: id)),
            SchemaSubject(MediaDeleted.self, MediaDeleted(id: id, ownerId: id)),
        ]
    }()
}
