/// A frame built from its bytes, so that tests can send frames that no driver would encode.
struct Frame {
    private(set) var bytes: [UInt8]

    init(type: UInt8, channel: UInt16, _ payload: [UInt8]) {
        bytes = [type] + Self.number(channel) + Self.number(UInt32(payload.count)) + payload + [0xCE]
    }

    static func method(_ classID: UInt16, _ methodID: UInt16, channel: UInt16 = 0, _ arguments: [UInt8] = []) -> Frame {
        Frame(type: 1, channel: channel, number(classID) + number(methodID) + arguments)
    }

    static func deliver(tag: UInt64, channel: UInt16 = 1) -> Frame {
        method(60, 60, channel: channel, short("tag") + number(tag) + [0] + short("exchange") + short("key"))
    }

    /// Makes basic.ack or basic.nack for one message of a publisher.
    static func confirm(_ tag: UInt64, isAck: Bool, channel: UInt16) -> Frame {
        method(60, isAck ? 80 : 120, channel: channel, number(tag) + [0])
    }

    /// Makes a content header with property flags and encoded properties.
    static func header(
        bodySize: UInt64, flags: UInt16 = 0, properties: [UInt8] = [], channel: UInt16 = 1
    ) -> Frame {
        Frame(type: 2, channel: channel, number(UInt16(60)) + [0, 0] + number(bodySize) + number(flags) + properties)
    }

    static func body(_ bytes: [UInt8], channel: UInt16 = 1) -> Frame {
        Frame(type: 3, channel: channel, bytes)
    }

    static func number<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian, Array.init)
    }

    static func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }

    static func long(_ bytes: [UInt8]) -> [UInt8] { number(UInt32(bytes.count)) + bytes }
}
