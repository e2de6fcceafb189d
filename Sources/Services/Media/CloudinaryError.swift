internal import Contracts
internal import Reactor
internal import WorkerKit

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

extension CloudinaryError: DependencyError {
    /// Uploads that fail because of the media host are held until it is available again.
    var missingDependency: Dependency? { code == .unavailable ? .mediaHost : nil }
}

extension Dependency {
    fileprivate static let mediaHost = Dependency("the media host")
}

extension ErrorCode where Failure == CloudinaryError {
    /// The call got no usable response: no connection, a timeout, status 408, 420, 423, 429 or 5xx, or a
    /// malformed body.
    static var unavailable: Self { Self("cloudinary-unavailable") }
    /// Cloudinary cannot decode the file.
    static var invalidFile: Self { Self("invalid-file") }
    /// Cloudinary refused the call because the account, the timestamp or the request is wrong. A retry fails as
    /// well.
    static var refused: Self { Self("cloudinary-refused") }
}

extension CloudinaryError {
    /// Makes the error for a response with a status other than 200.
    init(status: Int, body: [UInt8], fileID: StaticString = #fileID, line: UInt = #line) {
        let text = Self.message(in: body) ?? "no message"
        let code: ErrorCode<CloudinaryError> =
            switch status {
            case 408, 420, 423, 429, 500...: .unavailable
            case 400 where !Self.isAboutCall(text): .invalidFile
            default: .refused
            }
        self.init(code, "status \(status): \(text)", fileID: fileID, line: line)
    }

    /// Returns whether a message with status 400 says that the call is wrong, not the file. Cloudinary returns
    /// this status in both cases, so only the message distinguishes them.
    private static func isAboutCall(_ message: String) -> Bool {
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
