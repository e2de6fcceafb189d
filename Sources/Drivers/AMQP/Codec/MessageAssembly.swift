/// Assembles the incoming message of one channel from its method, its header and any number of body frames.
struct MessageAssembly<Envelope> {
    /// A complete message.
    struct Message {
        let envelope: Envelope
        let properties: Properties
        let body: [UInt8]
    }

    /// The result of a frame.
    enum Step {
        case incomplete
        case complete(Message)
        /// The frame is not allowed here, for this reason.
        case malformed(StaticString)
    }

    /// The maximum size of a body in bytes: the upper limit of RabbitMQ's `max_message_size`.
    static var maximumBody: UInt64 { 512 * 1024 * 1024 }

    private var envelope: Envelope?
    private var properties: Properties?
    private var body: [UInt8] = []
    private var missing = 0

    /// Begins a message.
    ///
    /// - Returns: `false` if the previous message is incomplete.
    mutating func begin(_ envelope: Envelope) -> Bool {
        guard self.envelope == nil else { return false }
        self.envelope = envelope
        return true
    }

    /// Adds the content header.
    mutating func header(_ properties: Properties, bodySize: UInt64) -> Step {
        guard let envelope, self.properties == nil else { return .malformed("content header without a method") }
        guard bodySize <= Self.maximumBody else { return .malformed("body size over the limit") }
        guard bodySize > 0 else {
            self.envelope = nil
            return .complete(Message(envelope: envelope, properties: properties, body: []))
        }
        self.properties = properties
        missing = Int(bodySize)
        return .incomplete
    }

    /// Adds a copy of the bytes of a body frame.
    mutating func body(_ bytes: UnsafeRawBufferPointer) -> Step {
        guard let envelope, let properties else { return .malformed("body frame without a content header") }
        guard bytes.count <= missing else { return .malformed("body longer than its content header states") }
        missing -= bytes.count
        if missing == 0 {
            let whole: [UInt8]
            if body.isEmpty {
                whole = [UInt8](bytes)
            } else {
                body.append(contentsOf: bytes)
                whole = body
                body = []
            }
            self.envelope = nil
            self.properties = nil
            return .complete(Message(envelope: envelope, properties: properties, body: whole))
        }
        // At most 1 MiB is reserved ahead, because the header may state a size that never arrives.
        if body.isEmpty { body.reserveCapacity(min(bytes.count + missing, 1 << 20)) }
        body.append(contentsOf: bytes)
        return .incomplete
    }
}
