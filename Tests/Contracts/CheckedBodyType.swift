import Contracts
import FoundationEssentials
import Testing

/// A type of message body that has a schema in `queues/schemas/` and a decoder in the program.
struct CheckedBodyType: Sendable, CustomTestStringConvertible {
    /// The verdict of the decoder.
    enum Verdict: Sendable, Hashable {
        case valid
        /// The document violates the schema. The decoder reported these messages.
        case invalid([String])
        /// The parser refuses the document before the schema applies.
        case malformed
    }

    /// The `type` property of the message.
    let type: String
    /// Valid documents; the first is the example of the documentation.
    let valid: [JSON]
    let decode: @Sendable ([UInt8]) -> Verdict

    var testDescription: String { type }

    /// The body of a request, as a worker decodes it; `nil` if the body is a file.
    init?(requestOf message: some AnyMessageType) {
        guard let example = message.descriptor.requestExample else { return nil }
        type = message.descriptor.name
        valid = [example] + Self.variants(of: type)
        decode = { body in
            do throws(Problem) {
                _ = try message.request.decode(body)
                return .valid
            } catch {
                return error.code == .invalid ? .invalid(error.faults.map(\.message)) : .malformed
            }
        }
    }

    /// The body of a successful reply, as a client in Swift decodes it; `nil` if the reply has no body.
    init?(replyOf message: some AnyMessageType) {
        guard let example = message.descriptor.replyExample, let schema = message.reply.schema else { return nil }
        type = message.descriptor.replyName
        valid = [example] + Self.variants(of: type)
        decode = { body in
            guard let json = try? JSON.parse(body, limits: .trusted) else { return .malformed }
            do throws(ValidationError) {
                _ = try schema.decode(json)
                return .valid
            } catch {
                return .invalid(error.faults.map(\.message))
            }
        }
    }

    /// The body of an event, as a worker decodes it.
    init?<Event: ContractEvent>(_ event: Event.Type) {
        guard let example = Event.descriptor.example else { return nil }
        type = Event.type
        valid = [example] + Self.variants(of: type)
        decode = { body in
            do throws(EventFault) {
                _ = try EventEnvelope.decode(body).decode(Event.self)
                return .valid
            } catch {
                switch error {
                case .malformed: return .malformed
                case .invalid(let error): return .invalid(error.faults.map(\.message))
                case .unexpectedType: return .invalid(["is of another type"])
                }
            }
        }
    }
}

extension CheckedBodyType {
    /// The bodies of all messages and events.
    static let all: [CheckedBodyType] =
        Messages.types.compactMap { CheckedBodyType(requestOf: $0) }
        + Messages.types.compactMap { CheckedBodyType(replyOf: $0) }
        + EventDescriptor.types.compactMap { bodyType(of: $0) }

    private static func bodyType(of event: (some ContractEvent).Type) -> CheckedBodyType? { CheckedBodyType(event) }

    /// Returns valid documents that differ from the example of the type.
    private static func variants(of type: String) -> [JSON] {
        switch type {
        case "identity.register":
            [
                ["username": "A.b_c-9", "email": "a.b+c@x-1.example.org", "password": "8 chars!"],
                ["username": "abc", "email": "\u{A0}\ta@b.c\u{200B}\n", "password": "8 chars!"],
                ["username": "abc", "email": .string(" \(longestEmail) "), "password": "8 chars!"],
            ]
        case "media.update": [["id": id, "description": nil, "ifMatch": nil]]
        case "post.create": [["content": " x\n"], ["content": "x", "mediaIds": []]]
        case "post.list", "media.list": [["limit": 100, "cursor": "aGVsbG8_-w"], [:]]
        case "post.create.reply", "post.get.reply": [post]
        case "post.list.reply": [["posts": [post], "limit": 10, "nextCursor": "aGVsbG8_-w"]]
        case "post.receipt", "media.receipt": [["id": id]]
        case "post.receipt.reply", "media.receipt.reply":
            [
                ["id": id, "status": "accepted"],
                ["id": id, "status": "failed", "result": ["status": 500, "body": ["code": "command-failed"]]],
            ]
        case "post.created":
            [["specversion": "1.0", "id": id, "source": "x", "type": "post.created", "time": time, "data": created]]
        default: []
        }
    }

    private static let longestEmail =
        "abcd@" + Array(repeating: String(repeating: "b", count: 49), count: 5).joined(separator: ".")
    private static let id: JSON = "0190a0b0-1234-7abc-8def-0123456789ab"
    private static let time: JSON = "2025-01-31T09:05:00.123Z"
    private static let author: JSON = ["id": id, "username": "ada"]
    /// A post with a picture whose URL is not known yet.
    private static let post: JSON = [
        "id": id, "author": author, "content": "Hello", "media": [["id": id, "url": nil]], "createdAt": time,
    ]
    private static let created: JSON = [
        "id": id, "author": author, "content": "Hello", "media": [], "createdAt": time, "mediaIds": [id],
    ]
}
