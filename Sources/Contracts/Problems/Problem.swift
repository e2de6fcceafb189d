/// What went wrong with a request, as the client is told (RFC 9457). Handlers throw it.
///
/// Everything in it may be shown: nothing internal belongs here.
package struct Problem: Error, Sendable, Hashable {
    /// What kind of problem it is.
    package let code: ProblemCode
    /// One sentence about this occurrence, where there is more to say than the title does.
    package var detail: String?
    /// All that is wrong with the body, for `invalid`.
    package var faults: [ValidationFault]
    /// When it makes sense to try again, in seconds; a header, not part of the body.
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
    /// A body that is JSON but not what its schema says.
    package static func invalid(_ invalid: ValidationError) -> Problem {
        Problem(.invalid, faults: invalid.faults)
    }

    /// One fault that only the service can know.
    package static func invalid(_ pointer: String, _ message: String) -> Problem {
        Problem(.invalid, faults: [ValidationFault(pointer: pointer, message: message)])
    }

    /// A body that is no JSON, or more of it than is taken.
    package static func malformedJSON(_ fault: JSONFault) -> Problem {
        Problem(fault.reason == .tooLarge ? .bodyTooLarge : .malformedJSON, detail: fault.description)
    }
}
