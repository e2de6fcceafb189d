/// An incremental parser of multipart/form-data bodies (RFC 7578), as a state machine that does no I/O.
///
/// The body is passed in chunks of any size. The chunks only affect how the content of a part is divided into
/// `bodyBytes` events. A short text before the first boundary and after the last one is skipped (RFC 2046 §5.1.1).
/// Otherwise the parser is strict: it refuses blanks after a boundary, a boundary after the last one, and line ends
/// other than CRLF. After an error every further call throws the same error.
package struct MultipartParser: Sendable {
    /// The position in the body.
    enum State: Sendable {
        /// Before the first boundary.
        case preamble
        /// After a boundary, before the CRLF or the two hyphens that follow it.
        case boundaryEnd, boundaryLineFeed, boundaryHyphen
        /// In a part's headers.
        case headers, headerLineFeed
        /// In a part's content.
        case content
        /// After the closing boundary. The text after it begins with CRLF.
        case closed, closedLineFeed, epilogue
        case failed(MultipartError)
    }

    let limits: MultipartLimits
    /// CRLF, two hyphens and the boundary.
    let delimiter: [UInt8]
    var state = State.preamble
    /// The number of bytes of the delimiter that the last bytes of the input match.
    var matched = 2
    /// The number of matched bytes that precede the content. If the match fails, these bytes are not content.
    var matchedBefore = 2
    var line: [UInt8] = []
    var headers = PartHeaders()
    private var parts = 0
    var bodyBytes = 0
    var surroundingBytes = 0

    /// Makes a parser for one body.
    ///
    /// - Parameters:
    ///   - boundary: the boundary in the request's Content-Type.
    ///   - limits: the maximum sizes.
    package init(boundary: MultipartBoundary, limits: MultipartLimits) {
        self.limits = limits
        self.delimiter = Array("\r\n--".utf8) + boundary.bytes
    }

    /// Parses the next chunk of the body.
    ///
    /// - Parameter bytes: the chunk, of any size. Contents are returned as slices of the chunk, without a copy.
    /// - Returns: the events that the chunk completes.
    /// - Throws: the first error in the body. Every later call throws the same error. The events of the chunk with the
    ///   error are lost.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) throws(MultipartError) -> [MultipartEvent] {
        if case .failed(let error) = state { throw error }
        var events: [MultipartEvent] = []
        var rest = bytes
        do throws(MultipartError) {
            while !rest.isEmpty {
                try step(&rest, &events)
            }
        } catch {
            state = .failed(error)
            throw error
        }
        return events
    }

    /// Parses the next chunk of the body.
    package mutating func feed(_ bytes: [UInt8]) throws(MultipartError) -> [MultipartEvent] {
        try feed(bytes[...])
    }

    /// Checks at the end of the body that the body is complete.
    ///
    /// - Throws: `truncated` if the closing boundary is missing, `noOpeningBoundary` if there is no boundary, or the
    ///   error of an earlier call.
    package mutating func finish() throws(MultipartError) {
        switch state {
        case .closed, .epilogue: return
        case .failed(let error): throw error
        case .preamble where surroundingBytes > 0:
            state = .failed(.noOpeningBoundary)
            throw .noOpeningBoundary
        default:
            state = .failed(.truncated)
            throw .truncated
        }
    }
}

extension MultipartParser {
    private mutating func step(_ rest: inout ArraySlice<UInt8>, _ events: inout [MultipartEvent])
        throws(MultipartError)
    {
        switch state {
        case .preamble, .content, .epilogue:
            try takeContent(&rest, &events)
        case .boundaryEnd:
            switch rest.removeFirst() {
            case UInt8(ascii: "\r"): state = .boundaryLineFeed
            case UInt8(ascii: "-"): state = .boundaryHyphen
            default: throw .malformedBoundaryLine
            }
        case .boundaryLineFeed:
            guard rest.removeFirst() == UInt8(ascii: "\n") else { throw .malformedBoundaryLine }
            parts += 1
            guard parts <= limits.parts else { throw .tooManyParts }
            headers = PartHeaders()
            state = .headers
        case .boundaryHyphen:
            guard rest.removeFirst() == UInt8(ascii: "-") else { throw .malformedBoundaryLine }
            events.append(.end)
            state = .closed
        case .headers:
            try takeHeaderBytes(&rest)
        case .headerLineFeed:
            guard rest.removeFirst() == UInt8(ascii: "\n") else { throw .bareLineBreak }
            try endHeaderLine(&events)
        case .closed:
            guard rest.removeFirst() == UInt8(ascii: "\r") else { throw .bytesAfterEnd }
            state = .closedLineFeed
        case .closedLineFeed:
            guard rest.removeFirst() == UInt8(ascii: "\n") else { throw .bytesAfterEnd }
            beginText(.epilogue)
        case .failed(let error):
            throw error
        }
    }
}
