/// The common form of the errors of drivers and services: a code that callers compare, a message for logs, the
/// underlying cause, and the place in Warren's source that made the error.
package protocol CodedError: Error, CustomStringConvertible, CustomDebugStringConvertible {
    /// The kind of failure; compare it with the constants of the error type.
    var code: ErrorCode<Self> { get }
    /// Describes the failure for logs, without secrets. Texts of servers and libraries are quoted unchanged.
    var message: String { get }
    /// The error that caused this error, or `nil`.
    var cause: (any Error)? { get }
    /// The place in Warren's source that made the error.
    var location: ErrorLocation { get }
    /// Whether the operation can succeed if it is repeated later without changes.
    var isTransient: Bool { get }
}

extension CodedError {
    package var cause: (any Error)? { nil }

    /// The code and the message, and the cause if there is one.
    package var description: String {
        let text = "\(code): \(message)"
        return cause.map { "\(text); cause: \($0)" } ?? text
    }

    /// The description and the place in the source.
    package var debugDescription: String {
        "\(description) (\(location))"
    }
}

/// A kind of failure of one error type.
///
/// Error types declare their codes as constants in an extension. More constants may be added, so a `switch` over codes
/// needs a `default`.
package struct ErrorCode<Failure>: Hashable, Sendable, CustomStringConvertible {
    /// The code's name, as it appears in logs.
    package let description: String

    /// Makes a code.
    ///
    /// - Parameter name: the code's name. It must be unique among the codes of the error type.
    package init(_ name: String) {
        description = name
    }
}

/// The line of Warren's source that made an error.
package struct ErrorLocation: Sendable, CustomStringConvertible {
    /// The module and the file, in the form of `#fileID`.
    package let fileID: StaticString
    /// The line, counted from 1.
    package let line: UInt

    /// Makes a location. The initializer of an error passes the `#fileID` and `#line` of its caller.
    package init(fileID: StaticString, line: UInt) {
        self.fileID = fileID
        self.line = line
    }

    /// The location as `Module/File.swift:line`.
    package var description: String { "\(fileID):\(line)" }
}
