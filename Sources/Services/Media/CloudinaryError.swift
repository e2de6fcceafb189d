internal import Contracts
internal import Reactor

/// A failed call to Cloudinary.
struct CloudinaryError: CodedError {
    let code: ErrorCode<CloudinaryError>
    let message: String
    let cause: (any Error)?
    let location: ErrorLocation

    var isTransient: Bool { code == .unavailable }

    init(
        _ code: ErrorCode<CloudinaryError>, _ message: String, cause: (any Error)? = nil,
        fileID: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        location = ErrorLocation(fileID: fileID, line: line)
    }
}

extension ErrorCode where Failure == CloudinaryError {
    /// The call got no usable response: no connection, a timeout, status 408, 420, 423, 429 or 5xx, or a
    /// malformed body.
    static var unavailable: Self { Self("cloudinaryUnavailable") }
    /// Cloudinary cannot decode the file.
    static var invalidFile: Self { Self("invalidFile") }
    /// Cloudinary refused the call: the account, the clock or the request is wrong, so a retry fails as well.
    static var refused: Self { Self("cloudinaryRefused") }
}

extension CloudinaryError {
    /// Makes an error of a response with a status other than 200.
    init(status: Int, body: [UInt8], fileID: StaticString = #fileID, line: UInt = #line) {
        let text = Self.message(in: body) ?? "no message"
        let code: ErrorCode<CloudinaryError> =
            switch status {
            case 408, 420, 423, 429, 500...: .unavailable
            case 400 where !Self.blamesCall(text): .invalidFile
            default: .refused
            }
        self.init(code, "status \(status): \(text)", fileID: fileID, line: line)
    }

    /// Whether a message with status 400 is about the call. Cloudinary has one status for a wrong call and a
    /// bad file, so only its text tells them apart.
    private static func blamesCall(_ message: String) -> Bool {
        ["Stale request", "Invalid timestamp", "Missing required parameter"].contains { message.hasPrefix($0) }
    }

    /// Returns up to 300 characters of the message in `{"error": {"message": …}}`.
    private static func message(in body: [UInt8]) -> String? {
        guard case .object(let outer) = try? JSON.parse(body), case .object(let error) = outer["error"],
            case .string(let message) = error["message"]
        else { return nil }
        return String(message.prefix(300))
    }
}
