/// What the headers of one part say (RFC 7578 §4.2, §4.4).
package struct MultipartPart: Sendable, Hashable {
    /// The field's name.
    package var name: String
    /// The file's name as the client gave it, never to be used as a path; nil where the part is a plain field.
    package var filename: String?
    /// The part's Content-Type as the client gave it, to be believed only after a look at the bytes.
    package var contentType: String?

    /// The headers of one part.
    package init(name: String, filename: String? = nil, contentType: String? = nil) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
    }
}

/// One step through a multipart body, in the order in which the bytes arrive.
///
/// Each part is one `partHeaders`, any number of `bodyBytes` (none for an empty part) and one `partEnd`.
package enum MultipartEvent: Sendable, Hashable {
    /// A part begins.
    case partHeaders(MultipartPart)
    /// More of the current part's content; the slice is never empty.
    case bodyBytes(ArraySlice<UInt8>)
    /// The current part is complete.
    case partEnd
    /// The closing boundary was read: the body is complete.
    case end
}
