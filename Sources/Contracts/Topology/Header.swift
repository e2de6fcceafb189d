/// The headers of messages, by the names that they have on the wire.
package enum Header {
    /// The account id of the caller.
    package static let subject = "subject"
    /// The username of the caller.
    package static let subjectName = "subject-name"
    /// Milliseconds since the epoch after which nobody waits.
    package static let deadline = "deadline"
    /// W3C trace context.
    package static let traceparent = "traceparent"
    package static let tracestate = "tracestate"
    /// What every log line about the request bears.
    package static let requestId = "request-id"
    /// The HTTP status of a reply.
    package static let status = "status"
    /// Where what a reply is about can be read.
    package static let location = "location"
    /// The version of what the reply shows.
    package static let etag = "etag"
    /// Seconds after which to try again.
    package static let retryAfter = "retry-after"
    /// On a message that came back: the broker user that sent it first.
    package static let origin = "origin"
    /// On a message that came back: how often it has failed.
    package static let attempt = "attempt"
}

/// The content types that travel.
package enum ContentType {
    package static let json = "application/json"
    package static let problem = "application/problem+json"
    package static let cloudEvent = "application/cloudevents+json"
}
