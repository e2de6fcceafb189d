/// A message type of the queue contract, with the Swift types of its bodies.
package struct MessageType<Request: Sendable, Reply: Sendable>: Sendable {
    /// The description of the type, without the Swift types of its bodies.
    package let descriptor: MessageDescriptor
    /// Decodes the body of a request.
    package let request: RequestBody<Request>
    /// Describes the body of a successful reply.
    package let reply: ReplyBody<Reply>

    /// - Parameters:
    ///   - name: the `type` property and routing key, for example `post.create`.
    ///   - summary: one sentence for the documentation.
    ///   - queue: the queue that receives the type; by default the service's queue for this kind.
    ///   - problems: the problems of this type, in addition to those that any request can get.
    ///   - needsCaller: whether the header `subject` is required, because the request is for an account.
    ///   - timeout: how long a sender waits for the reply if it does not set a timeout itself.
    init(
        _ name: String, _ kind: MessageKind, of service: ServiceName, _ summary: String, queue: String? = nil,
        request: RequestBody<Request>, reply: ReplyBody<Reply>, problems: [ProblemCode] = [],
        needsCaller: Bool = true, timeout: Duration = .seconds(5)
    ) {
        descriptor = MessageDescriptor(
            name: name, kind: kind, service: service, summary: summary, queue: queue ?? Queue.of(service, kind),
            status: reply.status, needsCaller: needsCaller, timeout: timeout, request: request.shape,
            requestExample: request.example, reply: reply.schema?.shape, replyExample: reply.example,
            problems: problems)
        self.request = request
        self.reply = reply
    }

    /// The `type` property and routing key, for example `post.create`.
    package var name: String { descriptor.name }
    /// The kind of message.
    package var kind: MessageKind { descriptor.kind }
    /// Whether the header `subject` is required, because the request is for an account.
    package var needsCaller: Bool { descriptor.needsCaller }
}

/// A message type whose Swift types are not known statically, so that all types fit into one list.
package protocol AnyMessageType: Sendable {
    associatedtype Request: Sendable
    associatedtype Reply: Sendable
    var descriptor: MessageDescriptor { get }
    var request: RequestBody<Request> { get }
    var reply: ReplyBody<Reply> { get }
}

extension MessageType: AnyMessageType {}

/// The description of a message type, without the Swift types of its bodies.
///
/// The ingress routes requests by the descriptors. The OpenAPI document, the AsyncAPI document, the schemas and the
/// tables of `queues/README.md` are generated from them. A descriptor is an object, because each request passes its
/// descriptor through several functions, and a copy of its many properties would take longer.
package final class MessageDescriptor: Sendable {
    /// The `type` property and routing key, for example `post.create`.
    package let name: String
    /// The kind of message.
    package let kind: MessageKind
    /// The service that handles the requests.
    package let service: ServiceName
    /// One sentence for the documentation.
    package let summary: String
    /// The queue to which `warren.commands` routes the requests.
    package let queue: String
    /// The HTTP status of a successful reply.
    package let status: Int
    /// Whether the header `subject` is required, because the request is for an account.
    package let needsCaller: Bool
    /// How long a sender waits for the reply if it does not set a timeout itself.
    package let timeout: Duration
    /// The shape of the request's JSON; `nil` if the body is a file.
    package let request: Shape?
    /// A valid body of a request; `nil` if the body is a file.
    package let requestExample: JSON?
    /// The shape of the reply's JSON; `nil` if a successful reply has no body.
    package let reply: Shape?
    /// A valid body of a reply; `nil` if a successful reply has no body.
    package let replyExample: JSON?
    /// The problems of this type, in addition to those that any request can get.
    package let problems: [ProblemCode]

    init(
        name: String, kind: MessageKind, service: ServiceName, summary: String, queue: String, status: Int,
        needsCaller: Bool, timeout: Duration, request: Shape?, requestExample: JSON?, reply: Shape?,
        replyExample: JSON?, problems: [ProblemCode]
    ) {
        self.name = name
        self.kind = kind
        self.service = service
        self.summary = summary
        self.queue = queue
        self.status = status
        self.needsCaller = needsCaller
        self.timeout = timeout
        self.request = request
        self.requestExample = requestExample
        self.reply = reply
        self.replyExample = replyExample
        self.problems = problems
    }

    /// The `type` property of the replies.
    package var replyName: String { Self.replyName(of: name) }

    /// Returns the `type` property of the replies to a message type.
    package static func replyName(of name: String) -> String { name + ".reply" }
}

// Each message type has one descriptor.
extension MessageDescriptor: Hashable {
    package static func == (left: MessageDescriptor, right: MessageDescriptor) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
