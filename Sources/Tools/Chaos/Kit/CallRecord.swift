package import Contracts

/// One request of a client and its result.
package struct CallRecord: Sendable {
    /// The service that answers the request.
    package let service: ServiceName
    /// The request, such as `POST /v1/posts`.
    package let call: String
    /// The status; `nil` if no response came.
    package let status: Int?
    /// The code of the problem, or the error of the connection.
    package let reason: String?
    /// Whether a 503 tells the client when to try again; `true` for every other status.
    package let hasRetryAfter: Bool
    /// The status that the client wanted if it is not 200, 201 or 204, for example 412 for a deletion with a wrong
    /// entity tag.
    package let wanted: Int?
    /// The address of the ingress that got the request.
    package let address: String
    package let began: ContinuousClock.Instant
    package let ended: ContinuousClock.Instant

    package init(
        _ service: ServiceName, _ call: String, status: Int?, reason: String? = nil, hasRetryAfter: Bool = true,
        wanted: Int? = nil, address: String = "", began: ContinuousClock.Instant, ended: ContinuousClock.Instant
    ) {
        self.service = service
        self.call = call
        self.status = status
        self.reason = reason
        self.hasRetryAfter = hasRetryAfter
        self.wanted = wanted
        self.address = address
        self.began = began
        self.ended = ended
    }

    package var duration: Duration { ended - began }

    /// Whether the response has a 2xx.
    package var isSuccess: Bool { status.map { (200..<300).contains($0) } ?? false }

    /// Whether the service has done what was asked. A 202 means only that the broker has the command.
    package var isServed: Bool { isSuccess && status != 202 }
}
