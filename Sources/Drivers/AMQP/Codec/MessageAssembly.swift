/// The message of one channel that is coming in: its method, then its header, then its body in any number of frames.
struct MessageAssembly<Envelope> {
    /// A message that is all there.
    struct Message {
        let envelope: Envelope
        let properties: Properties
        let body: [UInt8]
    }

    /// What a frame led to.
    enum Step {
        case incomplete
        case complete(Message)
        /// The frame does not belong here; the text says why.
        case malformed(StaticString)
    }

    /// The largest body taken, RabbitMQ's own upper limit for `max_message_size`.
    static var maximumBody: UInt64 { 512 * 1024 * 1024 }

    private var envelope: Envelope?
    private var properties: Properties?
    private var body: [UInt8] = []
    private var missing = 0

    /// Takes the method that begins a message.
    ///
    /// - Returns: false where the message before it is not all there.
    mutating func begin(_ envelope: Envelope) -> Bool {
        guard self.envelope == nil else { return false }
        self.envelope = envelope
        return true
    }

    /// Takes the header frame.
    mutating func header(_ properties: Properties, bodySize: UInt64) -> Step {
        guard let envelope, self.properties == nil else { return .malformed("a header without its method") }
        guard bodySize <= Self.maximumBody else { return .malformed("a body beyond every limit") }
        guard bodySize > 0 else {
            self.envelope = nil
            return .complete(Message(envelope: envelope, properties: properties, body: []))
        }
        self.properties = properties
        missing = Int(bodySize)
        return .incomplete
    }

    /// Takes a body frame, whose bytes are copied.
    mutating func body(_ bytes: UnsafeRawBufferPointer) -> Step {
        guard let envelope, let properties else { return .malformed("a body without its header") }
        guard bytes.count <= missing else { return .malformed("a body longer than its header says") }
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
        // Room for the rest is made as it comes, not for what a header claims.
        if body.isEmpty { body.reserveCapacity(min(bytes.count + missing, 1 << 20)) }
        body.append(contentsOf: bytes)
        return .incomplete
    }
}
