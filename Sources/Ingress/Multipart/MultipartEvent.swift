/// The headers of one part (RFC 7578 §4.2, §4.4).
package struct MultipartPart: Sendable, Hashable {
    /// The name of the form field.
    package var name: String
    /// The file name as sent by the client; `nil` if the part is a plain field. It must not be used as a path.
    package var filename: String?
    /// The Content-Type as sent by the client. It is not verified against the content.
    package var contentType: String?

    package init(name: String, filename: String? = nil, contentType: String? = nil) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
    }
}

/// An event of the parser. The events are in the order of the bytes of the body.
///
/// Each part yields one `partHeaders`, any number of `bodyBytes` (none for an empty part) and one `partEnd`.
package enum MultipartEvent: Sendable, Hashable {
    /// The headers of a part are complete.
    case partHeaders(MultipartPart)
    /// More content of the current part. The slice is never empty.
    case bodyBytes(ArraySlice<UInt8>)
    /// The current part is complete.
    case partEnd
    /// The closing boundary was parsed, so the body is complete.
    case end
}
