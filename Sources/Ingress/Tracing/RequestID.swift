internal import ASCII
internal import Contracts
internal import FoundationEssentials

/// The id of a request. Every log line about the request contains it, and the response has it as `X-Request-Id`.
enum RequestID {
    /// Returns the id that the client sent if it has 1 to 128 characters that are all safe in logs and header fields,
    /// otherwise a new id.
    static func make(from offered: String?) -> String {
        guard let offered, (1...128).contains(offered.utf8.count), offered.utf8.allSatisfy(isSafe) else {
            var generator = PooledGenerator()
            return UUID.v7(at: .now(), using: &generator).text
        }
        return offered
    }

    private static func isSafe(_ byte: UInt8) -> Bool {
        byte.isASCIILetterOrDigit || "-._~+/=:@".utf8.contains(byte)
    }
}
