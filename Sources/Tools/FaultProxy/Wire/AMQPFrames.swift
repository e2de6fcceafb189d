/// Splits one direction of an AMQP 0-9-1 connection into frames, and recognizes messages and acknowledgements.
///
/// The frames contain all bytes of the stream in their order. Bytes that are not AMQP are returned as they arrive,
/// without an event.
struct AMQPFrames {
    struct Frame {
        let bytes: [UInt8]
        let channel: UInt16
        /// `nil` for a frame that no kill point needs.
        let event: Event?
    }

    enum Event: Equatable {
        /// basic.deliver. Its last frame has the event.
        case delivered(Message, tag: UInt64, isRedelivered: Bool)
        /// basic.publish. Its last frame has the event.
        case published(Message)
        case acknowledged(Tags)
        /// basic.nack or basic.reject
        case refused(Tags)
        /// channel.open
        case openedChannel
        /// confirm.select: the broker counts the messages of the channel from here on.
        case selectedConfirms
    }

    struct Message: Equatable {
        let exchange: String
        let routingKey: String
        var correlationID: String?
        /// Whether the message has the property reply-to.
        var expectsReply = false
    }

    /// The delivery tags that an acknowledgement or a refusal covers.
    struct Tags: Equatable {
        let tag: UInt64
        let isMultiple: Bool

        /// With `isMultiple`, the tag 0 covers all messages (AMQP 0-9-1, class basic, method ack).
        func contains(_ other: UInt64) -> Bool { isMultiple ? tag == 0 || other <= tag : other == tag }
    }

    /// No broker accepts a larger frame by default.
    private static let maximumPayload = 16 * 1024 * 1024

    private var buffer = ByteQueue()
    private var expectsProtocolHeader: Bool
    /// Whether the stream is not AMQP.
    private var isOpaque = false
    /// The message of each channel whose last frame has not arrived yet.
    private var unfinished: [UInt16: UnfinishedMessage] = [:]

    private struct UnfinishedMessage {
        var event: Event
        /// The size of the part of the body that is missing; `nil` before the content header.
        var remaining: UInt64?
    }

    init(from peer: Peer) {
        expectsProtocolHeader = peer == .client
    }

    mutating func append(_ bytes: [UInt8]) {
        buffer.append(bytes)
    }

    /// Returns the next frame; `nil` if it has not arrived completely.
    mutating func next() -> Frame? {
        if !isOpaque, let size = nextSize() {
            return buffer.take(size).map { bytes in
                guard !expectsProtocolHeader else {
                    expectsProtocolHeader = false
                    return Frame(bytes: bytes, channel: 0, event: nil)
                }
                return parse(bytes)
            }
        }
        guard isOpaque else { return nil }
        return buffer.takeAll().map { Frame(bytes: $0, channel: 0, event: nil) }
    }

    /// Returns the size of the next frame, or of the protocol header; `nil` if it is not known yet, or if the stream
    /// is not AMQP.
    private mutating func nextSize() -> Int? {
        if expectsProtocolHeader {
            guard let start = buffer.peek(min(buffer.count, 4)) else { return nil }
            isOpaque = !Array("AMQP".utf8).starts(with: start)
            return isOpaque || buffer.count < 8 ? nil : 8
        }
        guard let type = buffer.peek(1)?.first else { return nil }
        isOpaque = !FrameType.all.contains(type)
        guard !isOpaque, let head = buffer.peek(7) else { return nil }
        var reader = ByteReader(head.dropFirst(3))
        let size = reader.number(UInt32.self).map { Int($0) } ?? 0
        isOpaque = size > Self.maximumPayload
        guard !isOpaque, let frame = buffer.peek(size + 8) else { return nil }
        isOpaque = frame.last != FrameType.end
        return isOpaque ? nil : size + 8
    }

    private mutating func parse(_ bytes: [UInt8]) -> Frame {
        var reader = ByteReader(bytes.dropLast())
        let type = reader.number(UInt8.self)
        let channel = reader.number(UInt16.self) ?? 0
        _ = reader.number(UInt32.self)
        let event: Event? =
            switch type {
            case FrameType.method: method(&reader, on: channel)
            case FrameType.header: contentHeader(&reader, on: channel)
            case FrameType.body: contentBody(size: UInt64(bytes.count - 8), on: channel)
            default: nil
            }
        return Frame(bytes: bytes, channel: channel, event: event)
    }

    private mutating func method(_ reader: inout ByteReader, on channel: UInt16) -> Event? {
        guard let id = reader.number(UInt32.self) else { return nil }
        switch id {
        case MethodID.basicDeliver, MethodID.basicPublish:
            let event = id == MethodID.basicDeliver ? Event.delivery(&reader) : Event.publication(&reader)
            unfinished[channel] = event.map { UnfinishedMessage(event: $0) }
            return nil
        case MethodID.basicAck: return Tags(&reader).map { .acknowledged($0) }
        case MethodID.basicNack: return Tags(&reader).map { .refused($0) }
        case MethodID.basicReject: return Tags(rejection: &reader).map { .refused($0) }
        case MethodID.channelOpen: return .openedChannel
        case MethodID.confirmSelect: return .selectedConfirms
        default: return nil
        }
    }

    private mutating func contentHeader(_ reader: inout ByteReader, on channel: UInt16) -> Event? {
        guard var message = unfinished[channel], message.remaining == nil, reader.number(UInt32.self) != nil,
            let size = reader.number(UInt64.self)
        else { return nil }
        message.event.setReply(reader.reply())
        message.remaining = size
        unfinished[channel] = message
        return finish(message, on: channel)
    }

    private mutating func contentBody(size: UInt64, on channel: UInt16) -> Event? {
        guard var message = unfinished[channel], let remaining = message.remaining else { return nil }
        message.remaining = remaining - min(size, remaining)
        unfinished[channel] = message
        return finish(message, on: channel)
    }

    private mutating func finish(_ message: UnfinishedMessage, on channel: UInt16) -> Event? {
        guard message.remaining == 0 else { return nil }
        unfinished[channel] = nil
        return message.event
    }
}
