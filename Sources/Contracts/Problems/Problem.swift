/// The error reply to a request, as RFC 9457 problem details. Handlers throw it.
///
/// Clients see all of it, so it must not contain internal information.
package struct Problem: Error, Sendable, Hashable {
    /// The kind of problem.
    package let code: ProblemCode
    /// One sentence about this occurrence; `nil` if the title says enough.
    package var detail: String?
    /// The faults of the body, for ``ProblemCode/invalid``.
    package var faults: [ValidationFault]
    /// The seconds to wait before a retry. It is sent as a header and is not part of the body.
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
    /// A body that is valid JSON but violates its schema.
    package static func invalid(_ invalid: ValidationError) -> Problem {
        Problem(.invalid, faults: invalid.faults)
    }

    /// One fault that only the service can detect.
    package static func invalid(_ pointer: String, _ message: String) -> Problem {
        Problem(.invalid, faults: [ValidationFault(pointer: pointer, message: message)])
    }

    /// A body that is not valid JSON or exceeds a limit.
    package static func malformedJSON(_ fault: JSONFault) -> Problem {
        Problem(fault.reason == .tooLarge ? .bodyTooLarge : .malformedJSON, detail: fault.description)
    }
}
