internal import Contracts

/// A call to Cloudinary that failed.
struct CloudinaryError: Error, Sendable, CustomStringConvertible {
    /// What can be done about it.
    enum Kind: String, Sendable {
        /// Trying again later may do: no connection, a time-out, 408, 420, 423, 429, 5xx.
        case passing
        /// The file is no picture that Cloudinary takes.
        case badFile
        /// The account or the call is wrong, which no retry mends.
        case refused
    }

    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// What an answer other than success means.
    init(status: Int, body: [UInt8]) {
        let message = Self.message(body) ?? "no message"
        switch status {
        case 408, 420, 423, 429, 500...: self.init(.passing, "\(status): \(message)")
        // Our clock is wrong, or the call is: not the file.
        case 400 where Self.accuses(message): self.init(.refused, "400: \(message)")
        case 400: self.init(.badFile, "400: \(message)")
        default: self.init(.refused, "\(status): \(message)")
        }
    }

    /// The kind and what Cloudinary or the transfer said.
    var description: String { "cloudinary, \(kind.rawValue): \(message)" }

    /// Whether a refusal is of the call and not of its file, by Cloudinary's words: it has one status for both.
    private static func accuses(_ message: String) -> Bool {
        ["Stale request", "Invalid timestamp", "Missing required parameter"].contains { message.hasPrefix($0) }
    }

    /// Errors are `{"error": {"message"}}`.
    private static func message(_ body: [UInt8]) -> String? {
        guard case .object(let outer) = try? JSON.parse(body), case .object(let error) = outer["error"],
            case .string(let message) = error["message"]
        else { return nil }
        return String(message.prefix(300))
    }
}
