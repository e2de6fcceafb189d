/// The names of message headers.
package enum Header {
    /// The id of the account on whose behalf the request is sent.
    package static let subject = "subject"
    /// The username of that account.
    package static let subjectName = "subject-name"
    /// The time after which the sender no longer waits, in milliseconds since the epoch.
    package static let deadline = "deadline"
    /// W3C trace context.
    package static let traceparent = "traceparent"
    package static let tracestate = "tracestate"
    /// The id that every log line about the request contains.
    package static let requestId = "request-id"
    /// On an upload: the description of the picture.
    package static let description = "description"
    /// The HTTP status of a reply.
    package static let status = "status"
    /// The HTTP path of the resource that the request has created.
    package static let location = "location"
    /// The entity tag of the reply's body (RFC 9110, section 8.8.3).
    package static let etag = "etag"
    /// The seconds to wait before a retry.
    package static let retryAfter = "retry-after"
    /// On a message that a worker or an operator sent back to its queue: the broker user that first sent it.
    package static let origin = "origin"
    /// On a message that came through `warren.requeue`: the number of failures so far; absent if there were none.
    package static let attempt = "attempt"
    /// On a message that came through `warren.requeue`: how often it was delivered before a worker delayed it; absent
    /// if it was not delivered several times. A quorum queue counts from zero again.
    package static let deliveries = "deliveries"
}

/// The content types of messages.
package enum ContentType {
    package static let json = "application/json"
    package static let problem = "application/problem+json"
    package static let cloudEvent = "application/cloudevents+json"
}
