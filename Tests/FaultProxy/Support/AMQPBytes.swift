@testable import FaultProxy

/// Makes the bytes of AMQP frames.
enum AMQPBytes {
    static let protocolHeader: [UInt8] = Array("AMQP".utf8) + [0, 0, 9, 1]
    static let heartbeat = frame(FrameType.heartbeat, channel: 0, [])

    static func frame(_ type: UInt8, channel: UInt16, _ payload: [UInt8]) -> [UInt8] {
        [type] + number(channel) + number(UInt32(payload.count)) + payload + [FrameType.end]
    }

    static func method(_ id: UInt32, channel: UInt16 = 1, _ arguments: [UInt8] = []) -> [UInt8] {
        frame(FrameType.method, channel: channel, number(id) + arguments)
    }

    /// basic.deliver with its content. A message with an id expects a reply.
    static func deliver(
        _ exchange: String, _ key: String, tag: UInt64, isRedelivered: Bool = false, id: String? = nil,
        bodies: [[UInt8]] = [[1, 2, 3]], channel: UInt16 = 1
    ) -> [UInt8] {
        let arguments = short("consumer") + number(tag) + [isRedelivered ? 1 : 0] + short(exchange) + short(key)
        return method(MethodID.basicDeliver, channel: channel, arguments)
            + content(id: id, replyTo: id.map { _ in "ingress" }, bodies, channel: channel)
    }

    /// basic.publish with its content.
    static func publish(
        _ exchange: String, _ key: String, id: String? = nil, bodies: [[UInt8]] = [[1, 2, 3]], channel: UInt16 = 1
    ) -> [UInt8] {
        let arguments = number(UInt16(0)) + short(exchange) + short(key) + [0]
        return method(MethodID.basicPublish, channel: channel, arguments) + content(id: id, bodies, channel: channel)
    }

    static func ack(_ tag: UInt64, isMultiple: Bool = false, channel: UInt16 = 1) -> [UInt8] {
        method(MethodID.basicAck, channel: channel, number(tag) + [isMultiple ? 1 : 0])
    }

    /// basic.nack; with `isMultiple`, also of all earlier messages.
    static func nack(_ tag: UInt64, isMultiple: Bool = false, channel: UInt16 = 1) -> [UInt8] {
        method(MethodID.basicNack, channel: channel, number(tag) + [isMultiple ? 1 : 0])
    }

    /// basic.reject with `requeue`.
    static func reject(_ tag: UInt64, channel: UInt16 = 1) -> [UInt8] {
        method(MethodID.basicReject, channel: channel, number(tag) + [1])
    }

    static func openChannel(_ channel: UInt16) -> [UInt8] { method(MethodID.channelOpen, channel: channel, [0]) }

    /// A content header with the content type, a header, the delivery mode, the correlation id and reply-to; and body
    /// frames.
    private static func content(
        id: String?, replyTo: String? = nil, _ bodies: [[UInt8]], channel: UInt16
    ) -> [UInt8] {
        let table = short("status") + [UInt8(ascii: "t"), 1]
        let flags: UInt16 = 1 << 15 | 1 << 13 | 1 << 12 | (id == nil ? 0 : 1 << 10) | (replyTo == nil ? 0 : 1 << 9)
        let properties =
            number(flags) + short("application/json") + number(UInt32(table.count)) + table + [2]
            + (id.map { short($0) } ?? []) + (replyTo.map { short($0) } ?? [])
        let size = number(UInt64(bodies.map(\.count).reduce(0, +)))
        let header = frame(
            FrameType.header, channel: channel, number(UInt16(60)) + number(UInt16(0)) + size + properties)
        return bodies.reduce(header) { $0 + frame(FrameType.body, channel: channel, $1) }
    }

    private static func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    private static func number<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
