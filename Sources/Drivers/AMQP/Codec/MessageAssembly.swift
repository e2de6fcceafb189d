/// Assembles the incoming messages of one channel. A message consists of a method, a content header and any number of
/// body frames. `Envelope` holds the arguments of the method.
struct MessageAssembly<Envelope> {
    /// A complete message.
    struct Message {
        let envelope: Envelope
        let properties: Properties
        let body: [UInt8]
    }

    /// The result of adding a frame.
    enum Step {
        case incomplete
        case complete(Message)
        /// The frame is not allowed at this point, for the given reason.
        case malformed(StaticString)
    }

    /// The maximum size of a body in bytes: the upper limit of RabbitMQ's `max_message_size`.
    static var maximumBody: UInt64 { 512 * 1024 * 1024 }

    private var envelope: Envelope?
    private var properties: Properties?
    private var body: [UInt8] = []
    private var missingBytes = 0

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
        guard let envelope, self.properties == nil else { return .malformed("unexpected content header") }
        guard bodySize <= Self.maximumBody else { return .malformed("the body size exceeds the limit") }
        guard bodySize > 0 else {
            self.envelope = nil
            return .complete(Message(envelope: envelope, properties: properties, body: []))
        }
        self.properties = properties
        missingBytes = Int(bodySize)
        return .incomplete
    }

    /// Adds a copy of the bytes of a body frame.
    mutating func body(_ bytes: UnsafeRawBufferPointer) -> Step {
        guard let envelope, let properties else { return .malformed("body frame without a content header") }
        guard bytes.count <= missingBytes else {
            return .malformed("the body is longer than its content header states")
        }
        missingBytes -= bytes.count
        if missingBytes == 0 {
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
        // At most 1 MiB is reserved ahead, because the header may state more bytes than arrive.
        if body.isEmpty { body.reserveCapacity(min(bytes.count + missingBytes, 1 << 20)) }
        body.append(contentsOf: bytes)
        return .incomplete
    }
}
