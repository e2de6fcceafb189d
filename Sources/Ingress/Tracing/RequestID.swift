internal import Contracts
internal import FoundationEssentials
internal import Multipart

/// The id of a request in every log line about it, and in the response's `X-Request-Id` field.
enum RequestID {
    /// Returns the client's id if it is 1 to 128 characters that are safe in logs and headers, otherwise a new one.
    static func make(from offered: String?) -> String {
        guard let offered, (1...128).contains(offered.utf8.count), offered.utf8.allSatisfy(isSafe) else {
            var generator = PooledGenerator()
            return UUID.v7(at: .now(), using: &generator).text
        }
        return offered
    }

    private static func isSafe(_ byte: UInt8) -> Bool {
        byte.isLetterOrDigit || "-._~+/=:@".utf8.contains(byte)
    }
}
