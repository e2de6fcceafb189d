internal import Contracts
internal import Curl

/// A call to Cloudinary that failed.
struct CloudinaryError: Error, Sendable, CustomStringConvertible {
    /// What can be done about it.
    enum Kind: String, Sendable {
        /// Trying again later may do: no connection, a time-out, 420, 423, 429, 5xx.
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

    init(_ response: HTTPResponse) {
        let message = Self.message(response.body) ?? "no message"
        switch response.status {
        case 420, 423, 429, 500...: self.init(.passing, "\(response.status): \(message)")
        case 400: self.init(.badFile, "400: \(message)")
        default: self.init(.refused, "\(response.status): \(message)")
        }
    }

    /// The kind and what Cloudinary or the transfer said.
    var description: String { "cloudinary, \(kind.rawValue): \(message)" }

    /// Errors are `{"error": {"message"}}`.
    private static func message(_ body: [UInt8]) -> String? {
        guard case .object(let outer) = try? JSON.parse(body), case .object(let error) = outer["error"],
            case .string(let message) = error["message"]
        else { return nil }
        return String(message.prefix(300))
    }
}
