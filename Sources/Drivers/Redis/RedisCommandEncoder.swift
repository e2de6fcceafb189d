/// Encodes commands as arrays of bulk strings (RESP2) into a connection's output.
///
/// The formatter of hiredis is not used, because it allocates a buffer for each command, and the buffer would have to
/// be copied into the output.
enum RedisCommandEncoder {
    static func append(_ arguments: [RedisArgument], to output: inout [UInt8]) {
        append(UInt8(ascii: "*"), arguments.count, to: &output)
        for argument in arguments {
            switch argument {
            case .string(let text):
                append(UInt8(ascii: "$"), text.utf8.count, to: &output)
                output.append(contentsOf: text.utf8)
            case .bytes(let bytes):
                append(UInt8(ascii: "$"), bytes.count, to: &output)
                output.append(contentsOf: bytes)
            case .integer(let number):
                // The text has at most 20 characters, so it needs at most one allocation. The frequent commands rarely
                // have numbers.
                let text = String(number)
                append(UInt8(ascii: "$"), text.utf8.count, to: &output)
                output.append(contentsOf: text.utf8)
            }
            output.append(UInt8(ascii: "\r"))
            output.append(UInt8(ascii: "\n"))
        }
    }

    private static func append(_ type: UInt8, _ count: Int, to output: inout [UInt8]) {
        output.append(type)
        var divisor = 1
        while count / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: count / divisor % 10))
            divisor /= 10
        }
        output.append(UInt8(ascii: "\r"))
        output.append(UInt8(ascii: "\n"))
    }
}
