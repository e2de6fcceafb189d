/// The error for a text that does not have the required form, such as the value of a setting or the content of a file.
package struct ParseError: CodedError {
    /// The required form or the fault, worded to follow the name of the setting or file: `must be HOST:PORT`. It does
    /// not quote the text, which may be a secret.
    package let message: String
    /// The place in Warren's source code at which the error was made.
    package let location: ErrorLocation
    /// ``ErrorCode/malformed``.
    package var code: ErrorCode<ParseError> { .malformed }
    /// `false`, because the text must be changed.
    package var isTransient: Bool { false }
    /// The message alone, because it is shown to the operator.
    package var description: String { message }

    /// Makes an error.
    package init(_ message: String, fileID: StaticString = #fileID, line: UInt = #line) {
        self.message = message
        location = ErrorLocation(fileID: fileID, line: line)
    }
}

extension ErrorCode<ParseError> {
    /// The text is malformed.
    package static let malformed = ErrorCode("malformed")
}
