/// A kind of problem: its stable code, its HTTP status and its title. This file defines all kinds.
package struct ProblemCode: Sendable, Hashable {
    /// The stable identifier that clients compare, in kebab case.
    package let code: String
    package let status: Int
    package let title: String
    /// The seconds to wait before a retry if the ``Problem`` sets no other number; `nil` if a retry does not help.
    package let retryAfter: Int?

    private init(_ status: Int, _ code: String, _ title: String, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.title = title
        self.retryAfter = retryAfter
    }

    /// The `type` of RFC 9457.
    package var type: String { "urn:warren:problem:" + code }

    package static func == (left: ProblemCode, right: ProblemCode) -> Bool { left.code == right.code }

    package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension ProblemCode {
    package static let malformedJSON = Self(400, "malformed-json", "The body is not valid JSON")
    package static let malformedRequest = Self(400, "malformed-request", "The request is malformed")
    package static let unsupportedCondition = Self(
        400, "unsupported-condition", "If-None-Match must be * for a change or a deletion")
    package static let unauthenticated = Self(401, "unauthenticated", "An access token is required")
    package static let invalidToken = Self(401, "invalid-token", "The access token is not valid")
    package static let invalidCredentials = Self(401, "invalid-credentials", "The credentials are wrong")
    package static let invalidRefreshToken = Self(401, "invalid-refresh-token", "The refresh token is not valid")
    package static let forbidden = Self(403, "forbidden", "The sender may not do this")
    package static let notFound = Self(404, "not-found", "The resource does not exist")
    package static let postNotFound = Self(404, "post-not-found", "The post does not exist")
    package static let mediaNotFound = Self(404, "media-not-found", "The picture does not exist")
    package static let receiptNotFound = Self(404, "receipt-not-found", "The receipt does not exist")
    package static let methodNotAllowed = Self(405, "method-not-allowed", "The resource does not support this method")
    package static let requestTimeout = Self(408, "request-timeout", "The request took too long to arrive")
    package static let accountExists = Self(409, "account-exists", "The username or the email address is already taken")
    package static let receiptExpired = Self(410, "receipt-expired", "The result of the command is no longer stored")
    package static let preconditionFailed = Self(412, "precondition-failed", "A condition of the request does not hold")
    package static let bodyTooLarge = Self(413, "body-too-large", "The body is too large")
    package static let unsupportedMediaType = Self(
        415, "unsupported-media-type", "The content type is not supported")
    package static let invalid = Self(422, "invalid", "The request is not valid")
    package static let idempotencyKeyReused = Self(
        422, "idempotency-key-reused", "The idempotency key was used with another body")
    package static let tooManyRequests = Self(429, "too-many-requests", "Too many requests", retryAfter: 1)
    package static let headersTooLarge = Self(431, "headers-too-large", "The headers are too large")
    package static let `internal` = Self(500, "internal", "An internal error occurred")
    package static let commandFailed = Self(500, "command-failed", "The command failed several times and was given up")
    package static let unavailable = Self(503, "unavailable", "The service is temporarily unavailable", retryAfter: 1)
    package static let deadlineExceeded = Self(504, "deadline-exceeded", "The service did not reply in time")

    /// Every kind of problem, sorted by status.
    package static let all: [ProblemCode] = [
        malformedJSON, malformedRequest, unsupportedCondition, unauthenticated, invalidToken, invalidCredentials,
        invalidRefreshToken, forbidden, notFound, postNotFound, mediaNotFound, receiptNotFound, methodNotAllowed,
        requestTimeout, accountExists, receiptExpired, preconditionFailed, bodyTooLarge, unsupportedMediaType, invalid,
        idempotencyKeyReused, tooManyRequests, headersTooLarge,
        `internal`, commandFailed, unavailable, deadlineExceeded,
    ]

    /// Returns the kind of problem with a code; `nil` if no kind has this code.
    package static func named(_ code: String) -> ProblemCode? {
        all.first { $0.code.hasSameBytes(as: code) }
    }
}
