/// An error response of Cloudinary's API: a status and a message.
struct APIError: Error, Sendable, Equatable {
    let status: Int
    let message: String

    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }

    static func missing(_ parameter: String) -> APIError {
        APIError(400, "Missing required parameter - \(parameter)")
    }

    static let invalidImage = APIError(400, "Invalid image file")
    static let notFound = APIError(404, "Resource not found")
}
