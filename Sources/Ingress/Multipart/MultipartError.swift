/// The reason why a multipart/form-data body is refused.
package enum MultipartError: Error, Sendable, Hashable, CaseIterable {
    case notMultipart
    case malformedContentType
    case missingBoundary
    case duplicateBoundary
    case invalidBoundary
    case noOpeningBoundary
    case malformedBoundaryLine
    case bareLineBreak
    case malformedPartHeader
    case malformedDisposition
    case missingDisposition
    case missingName
    case unsupportedTransferEncoding
    case partHeadersTooLarge
    case tooManyPartHeaders
    case tooManyParts
    case bodyTooLarge
    case bytesAfterEnd
    case truncated
}

extension MultipartError {
    /// One sentence for the client. It does not repeat any of the client's input.
    package var reason: String {
        switch self {
        case .notMultipart: "The Content-Type must be multipart/form-data."
        case .malformedContentType: "The Content-Type is malformed."
        case .missingBoundary: "The Content-Type must have a boundary."
        case .duplicateBoundary: "The Content-Type must not have more than one boundary."
        case .invalidBoundary:
            "The boundary must be 1 to 70 characters that RFC 2046 allows, without a space at the end."
        case .noOpeningBoundary: "The body must have a boundary near its beginning."
        case .malformedBoundaryLine: "A boundary must be followed by CRLF or by two hyphens."
        case .bareLineBreak: "Each header line of a part must end in CRLF."
        case .malformedPartHeader: "A part has a malformed header."
        case .malformedDisposition: "A part has a malformed Content-Disposition header."
        case .missingDisposition: "Each part must have a Content-Disposition header of type form-data."
        case .missingName: "Each part must have a name."
        case .unsupportedTransferEncoding: "The Content-Transfer-Encoding of a part must be 7bit, 8bit or binary."
        case .partHeadersTooLarge: "The headers of a part are too large."
        case .tooManyPartHeaders: "A part has too many headers."
        case .tooManyParts: "The body has too many parts."
        case .bodyTooLarge: "The contents of the parts are too large."
        case .bytesAfterEnd:
            "After the closing boundary, only a line end and a short text without a boundary may follow."
        case .truncated: "The body ends before its closing boundary."
        }
    }
}
