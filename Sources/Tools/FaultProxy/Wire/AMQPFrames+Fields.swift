/// The frame types (AMQP 0-9-1, section 4.2.3).
enum FrameType {
    static let method: UInt8 = 1
    static let header: UInt8 = 2
    static let body: UInt8 = 3
    static let heartbeat: UInt8 = 8
    static let all: [UInt8] = [method, header, body, heartbeat]
    static let end: UInt8 = 0xCE
}

/// The class ID in the upper 16 bits, the method ID in the lower 16 bits.
enum MethodID {
    static let basicPublish: UInt32 = 0x003C_0028
    static let basicDeliver: UInt32 = 0x003C_003C
    static let basicAck: UInt32 = 0x003C_0050
    static let basicReject: UInt32 = 0x003C_005A
    static let basicNack: UInt32 = 0x003C_0078
    static let channelOpen: UInt32 = 0x0014_000A
    static let confirmSelect: UInt32 = 0x0055_000A
}

extension AMQPFrames.Event {
    /// Reads the arguments of basic.deliver.
    static func delivery(_ reader: inout ByteReader) -> Self? {
        guard reader.shortString() != nil, let tag = reader.number(UInt64.self),
            let redelivered = reader.number(UInt8.self),
            let exchange = reader.shortString(), let routingKey = reader.shortString()
        else { return nil }
        return .delivered(
            AMQPFrames.Message(exchange: exchange, routingKey: routingKey), tag: tag,
            isRedelivered: redelivered & 1 == 1)
    }

    /// Reads the arguments of basic.publish.
    static func publication(_ reader: inout ByteReader) -> Self? {
        guard reader.number(UInt16.self) != nil, let exchange = reader.shortString(),
            let routingKey = reader.shortString()
        else { return nil }
        return .published(AMQPFrames.Message(exchange: exchange, routingKey: routingKey))
    }

    mutating func setReply(_ reply: (correlationID: String?, isExpected: Bool)?) {
        switch self {
        case .delivered(var message, let tag, let isRedelivered):
            message.correlationID = reply?.correlationID
            message.expectsReply = reply?.isExpected == true
            self = .delivered(message, tag: tag, isRedelivered: isRedelivered)
        case .published(var message):
            message.correlationID = reply?.correlationID
            message.expectsReply = reply?.isExpected == true
            self = .published(message)
        case .acknowledged, .refused, .openedChannel, .selectedConfirms: break
        }
    }
}

extension AMQPFrames.Tags {
    /// Reads the arguments of basic.ack or basic.nack.
    init?(_ reader: inout ByteReader) {
        guard let tag = reader.number(UInt64.self), let bits = reader.number(UInt8.self) else { return nil }
        self.init(tag: tag, isMultiple: bits & 1 == 1)
    }

    /// Reads the arguments of basic.reject. Its bit is `requeue`, and it covers one message.
    init?(rejection reader: inout ByteReader) {
        guard let tag = reader.number(UInt64.self), reader.number(UInt8.self) != nil else { return nil }
        self.init(tag: tag, isMultiple: false)
    }
}

extension ByteReader {
    /// Reads the properties of a message up to its correlation id, and whether it has the property reply-to.
    ///
    /// The flags say which properties are there, in the order content type, content encoding, headers, delivery mode,
    /// priority, correlation id, reply-to.
    mutating func reply() -> (correlationID: String?, isExpected: Bool)? {
        guard let flags = number(UInt16.self) else { return nil }
        let isExpected = flags & 1 << 9 != 0
        guard flags & 1 << 10 != 0 else { return (nil, isExpected) }
        if flags & 1 << 15 != 0, shortString() == nil { return nil }
        if flags & 1 << 14 != 0, shortString() == nil { return nil }
        if flags & 1 << 13 != 0, number(UInt32.self).flatMap({ take(Int($0)) }) == nil { return nil }
        if flags & 1 << 12 != 0, number(UInt8.self) == nil { return nil }
        if flags & 1 << 11 != 0, number(UInt8.self) == nil { return nil }
        return shortString().map { ($0, isExpected) }
    }
}
