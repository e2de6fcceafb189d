import CRabbitMQ

@testable import AMQP

/// The fuzz target for message properties and headers, which rabbitmq-c decodes and the driver copies.
enum PropertiesTarget {
    /// Decodes an input as the properties in a header frame.
    ///
    /// - Returns: a description of the failure; `nil` if the input is refused, or decoded to the same value twice.
    static func failure(in input: [UInt8]) -> String? {
        guard let properties = decode(input) else { return nil }
        // If the decoder read memory outside the input, the two results could differ.
        guard let again = decode(input), "\(again)" == "\(properties)" else {
            return "decoding twice gives different results"
        }
        return nil
    }

    static func decode(_ input: [UInt8]) -> Properties? {
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4096)
        defer { empty_amqp_pool(&pool) }
        return input.withUnsafeBytes { bytes in
            var decoded: UnsafeMutableRawPointer?
            let encoded = amqp_bytes_t(len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            let status = amqp_decode_properties(UInt16(AMQP_BASIC_CLASS), &pool, encoded, &decoded)
            guard status == Int32(AMQP_STATUS_OK.rawValue), let decoded else { return nil }
            return Properties(decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
        }
    }

    static let seeds: [[UInt8]] = {
        let all: UInt16 =
            PropertyFlag.contentType | PropertyFlag.contentEncoding | PropertyFlag.headers | PropertyFlag.deliveryMode
            | PropertyFlag.priority | PropertyFlag.correlationID | PropertyFlag.replyTo | PropertyFlag.expiration
            | PropertyFlag.messageID | PropertyFlag.timestamp | PropertyFlag.type | PropertyFlag.userID
            | PropertyFlag.appID
        let before = bytes(all) + short("application/json") + short("gzip")
        let after: [UInt8] =
            [2, 9] + short("c") + short("r") + short("60000") + short("m") + [0, 0, 0, 0, 0, 0, 1, 0]
            + short("post.create")
            + short("integrator") + short("app")
        let tables: [[UInt8]] = [
            [], name("subject") + text("abc"), name("deadline") + [0x6C, 0, 0, 1, 2, 3, 4, 5, 6],
            name("t") + [0x74, 1] + name("d") + [0x64, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0] + name("D") + [
                0x44, 255, 1, 2, 3, 4,
            ],
            name("a") + [0x41] + long(text("x") + [0x56]) + name("f") + [0x46] + long(name("i") + [0x49, 0, 0, 0, 1]),
        ]
        return tables.map { before + long($0) + after } + [bytes(PropertyFlag.headers) + long(nested(64)), bytes(0)]
    }()

    static let dictionary: [[UInt8]] =
        "SxtbBsuIilLfdDTFAV".utf8.map { [$0] } + [
            long(text("x")), name("n") + [0x46], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0x10, 0],
        ]

    /// Returns the encoding of `depth` nested tables.
    static func nested(_ depth: Int) -> [UInt8] {
        // Building the bytes in reverse, from the innermost table outwards, takes linear time.
        var reversed: [UInt8] = []
        for _ in 0..<depth {
            let length = UInt32(reversed.count)
            reversed += [UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8)]
            reversed += [
                UInt8(truncatingIfNeeded: length >> 16), UInt8(truncatingIfNeeded: length >> 24), 0x46, 0x6E, 1,
            ]
        }
        return reversed.reversed()
    }

    static func headers(_ table: [UInt8]) -> [UInt8] { bytes(PropertyFlag.headers) + long(table) }

    private static func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }
    private static func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }
    private static func name(_ text: String) -> [UInt8] { short(text) }
    private static func text(_ text: String) -> [UInt8] { [0x53] + long(Array(text.utf8)) }

    private static func long(_ content: [UInt8]) -> [UInt8] {
        let length = UInt32(content.count)
        return [
            UInt8(truncatingIfNeeded: length >> 24), UInt8(truncatingIfNeeded: length >> 16),
            UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length),
        ] + content
    }
}
