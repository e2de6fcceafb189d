/// One row of the queue contract: what is asked of whom, with what body, and what comes back.
///
/// `Request` is what the body is decoded to, `Reply` what the body of a good reply is made of.
package struct MessageType<Request: Sendable, Reply: Sendable>: Sendable {
    /// What anyone can know without knowing the types.
    package let descriptor: MessageDescriptor
    /// How the request's body is read.
    package let request: RequestBody<Request>
    /// How the body of a good reply is written; none where there is no body.
    package let reply: Schema<Reply>?

    init(
        _ name: String, _ kind: MessageKind, of service: ServiceName, _ summary: String, queue: String? = nil,
        request: RequestBody<Request>, status: Int, reply: Schema<Reply>?, problems: [ProblemCode] = [],
        needsSubject: Bool = true, deadline: Duration = .seconds(5)
    ) {
        descriptor = MessageDescriptor(
            name: name, kind: kind, service: service, summary: summary, queue: queue ?? Queue.of(service, kind),
            status: status, needsSubject: needsSubject, deadline: deadline, request: request.shape, reply: reply?.shape,
            problems: problems)
        self.request = request
        self.reply = reply
    }

    /// The type property and routing key: `post.create`.
    package var name: String { descriptor.name }
    /// What decides how it travels.
    package var kind: MessageKind { descriptor.kind }
    /// Who carries it out.
    package var service: ServiceName { descriptor.service }
    /// The HTTP status of a good reply.
    package var status: Int { descriptor.status }
    /// Whether it is carried out only on behalf of an account.
    package var needsSubject: Bool { descriptor.needsSubject }
    /// How long a sender waits for the reply.
    package var deadline: Duration { descriptor.deadline }
}

/// A message type without its Swift types: enough to route it, and to document it.
package struct MessageDescriptor: Sendable, Hashable {
    /// The type property and routing key: `post.create`.
    package let name: String
    /// What decides how it travels.
    package let kind: MessageKind
    /// Who carries it out.
    package let service: ServiceName
    /// What it does, for the documentation.
    package let summary: String
    /// Where `warren.commands` routes it.
    package let queue: String
    /// The HTTP status of a good reply.
    package let status: Int
    /// Whether it is carried out only on behalf of an account.
    package let needsSubject: Bool
    /// How long a sender waits for the reply, unless it says otherwise.
    package let deadline: Duration
    /// The shape of the request's JSON; none where the body is bytes.
    package let request: Shape?
    /// The shape of the reply's JSON; none where it has no body.
    package let reply: Shape?
    /// What this type's own problems are, beside those that any message may get.
    package let problems: [ProblemCode]

    /// The type property of its replies.
    package var replyName: String { name + ".reply" }
}

/// What stands for "no value": a request or a reply without a body.
package struct EmptyBody: Sendable, Hashable {
    package init() {}
}
