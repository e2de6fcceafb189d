/// The error reply to a request, as RFC 9457 problem details. Handlers throw it.
///
/// Clients see every field, so a problem must not contain internal information.
package struct Problem: Error, Sendable, Hashable {
    /// The kind of problem.
    package let code: ProblemCode
    /// One sentence about this occurrence; `nil` if the title says enough.
    package var detail: String?
    /// The faults of the body, for ``ProblemCode/invalid``.
    package var faults: [ValidationFault]
    /// The part of the request that has the faults. The default detail names it.
    package var faultyPart = FaultyPart.content
    /// The seconds to wait before a retry. They are sent in a header and not in the body.
    package var retryAfter: Int?

    package init(_ code: ProblemCode, detail: String? = nil, faults: [ValidationFault] = [], retryAfter: Int? = nil) {
        self.code = code
        self.detail = detail
        self.faults = faults
        self.retryAfter = retryAfter ?? code.retryAfter
    }

    /// The HTTP status.
    package var status: Int { code.status }
}

extension Problem {
    /// A part of a request that can have faults.
    package enum FaultyPart: String, Sendable, Hashable {
        /// The body of an HTTP request.
        case content
        /// The query of an HTTP request, which becomes the body of a message.
        case query
        /// The path and the query of an HTTP request, which become the body of a message.
        case request
    }

    /// Returns the problem of a body that is valid JSON but violates its schema.
    package static func invalid(_ invalid: ValidationError) -> Problem {
        Problem(.invalid, faults: invalid.faults)
    }

    /// The problem of a request that may or may not be carried out.
    package static let outcomeUnknown = Problem(
        .deadlineExceeded,
        detail: "It is unknown whether the request was or will be carried out. If it had an Idempotency-Key, a retry "
            + "with the same key cannot carry it out twice.")

    /// Returns the problem of a request with one fault that the schema cannot express.
    package static func invalid(_ pointer: String, _ message: String) -> Problem {
        Problem(.invalid, faults: [ValidationFault(pointer: pointer, message: message)])
    }

    /// Returns the problem of a body that is not valid JSON, or that is too large.
    package static func malformedJSON(_ fault: JSONFault) -> Problem {
        Problem(fault.reason == .tooLarge ? .bodyTooLarge : .malformedJSON, detail: fault.description)
    }
}
