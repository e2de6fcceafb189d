/// What is wrong with a multipart/form-data request.
///
/// The raw value is a stable code; `reason` is a stable sentence for a problem's detail, and repeats nothing that the
/// client sent.
package enum MultipartFault: String, Error, Sendable, Hashable, CaseIterable {
    case notMultipart = "not-multipart"
    case malformedContentType = "malformed-content-type"
    case missingBoundary = "missing-boundary"
    case duplicateBoundary = "duplicate-boundary"
    case invalidBoundary = "invalid-boundary"
    case noOpeningBoundary = "no-opening-boundary"
    case malformedBoundaryLine = "malformed-boundary-line"
    case bareLineBreak = "bare-line-break"
    case malformedPartHeader = "malformed-part-header"
    case malformedDisposition = "malformed-disposition"
    case missingDisposition = "missing-disposition"
    case missingName = "missing-name"
    case unsupportedTransferEncoding = "unsupported-transfer-encoding"
    case partHeadersTooLarge = "part-headers-too-large"
    case tooManyPartHeaders = "too-many-part-headers"
    case tooManyParts = "too-many-parts"
    case bodyTooLarge = "body-too-large"
    case bytesAfterEnd = "bytes-after-end"
    case truncated = "truncated"
}

extension MultipartFault {
    /// One sentence that says what is wrong, fit to be shown to the client.
    package var reason: String {
        switch self {
        case .notMultipart: "The content type must be multipart/form-data."
        case .malformedContentType: "The Content-Type header is malformed."
        case .missingBoundary: "The Content-Type header has no boundary."
        case .duplicateBoundary: "The Content-Type header has more than one boundary."
        case .invalidBoundary: "The boundary must be 1 to 70 characters of the set that RFC 2046 allows."
        case .noOpeningBoundary: "The body must begin with the boundary."
        case .malformedBoundaryLine: "A boundary must be followed by CRLF or by two hyphens."
        case .bareLineBreak: "Lines of a part's headers must end in CRLF."
        case .malformedPartHeader: "A part has a malformed header."
        case .malformedDisposition: "A part has a malformed Content-Disposition header."
        case .missingDisposition: "A part has no Content-Disposition header of type form-data."
        case .missingName: "A part has no name."
        case .unsupportedTransferEncoding: "A part has a Content-Transfer-Encoding other than 7bit, 8bit or binary."
        case .partHeadersTooLarge: "The headers of a part are too large."
        case .tooManyPartHeaders: "A part has too many headers."
        case .tooManyParts: "The body has too many parts."
        case .bodyTooLarge: "The parts are too large."
        case .bytesAfterEnd: "Bytes follow the closing boundary."
        case .truncated: "The body ends before its closing boundary."
        }
    }
}
