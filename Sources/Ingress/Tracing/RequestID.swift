internal import Contracts
internal import FoundationEssentials

/// The id that a request bears in every log line, and its reply in `X-Request-Id`.
enum RequestID {
    /// Takes over the client's id where it is 1 to 128 characters that are safe everywhere, and makes a new one else.
    static func make(_ offered: String?) -> String {
        guard let offered, (1...128).contains(offered.utf8.count), offered.utf8.allSatisfy(isSafe) else {
            var generator = PooledGenerator()
            return UUID.v7(at: .now(), using: &generator).text
        }
        return offered
    }

    private static func isSafe(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~+/=:@".utf8.contains(byte)
        }
    }
}
