/// The names of message headers.
package enum Header {
    /// The id of the caller's account.
    package static let subject = "subject"
    /// The username of the caller.
    package static let subjectName = "subject-name"
    /// The time after which the sender no longer waits, in milliseconds since the epoch.
    package static let deadline = "deadline"
    /// W3C trace context.
    package static let traceparent = "traceparent"
    package static let tracestate = "tracestate"
    /// The id that every log line about the request contains.
    package static let requestId = "request-id"
    /// The HTTP status of a reply.
    package static let status = "status"
    /// The URL of the resource that a reply shows or has created.
    package static let location = "location"
    /// The version of the resource that the reply shows.
    package static let etag = "etag"
    /// The seconds to wait before a retry.
    package static let retryAfter = "retry-after"
    /// On a redelivery from the retry ladder or an operator: the broker user that sent the message originally.
    package static let origin = "origin"
    /// On a redelivery from the retry ladder: the number of failures so far.
    package static let attempt = "attempt"
}

/// The content types of messages.
package enum ContentType {
    package static let json = "application/json"
    package static let problem = "application/problem+json"
    package static let cloudEvent = "application/cloudevents+json"
}
