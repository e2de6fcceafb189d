/// A streaming parser of multipart/form-data bodies (RFC 7578), as a state machine that does no I/O.
///
/// Feed it the body in chunks of any sizes; the events are the same however the body is cut, save that contents come in
/// other slices. It is strict: no text before the first boundary, none after the last, no blanks behind a boundary, CRLF
/// only. After a fault every further call throws the same fault.
package struct MultipartParser: Sendable {
    /// Where in the body the parser stands.
    enum State: Sendable {
        /// Inside the boundary that opens the body.
        case opening
        /// Right behind a boundary: CRLF or two hyphens follow.
        case boundaryEnd, boundaryLineFeed, boundaryHyphen
        /// In a part's headers.
        case headers, headerLineFeed
        /// In a part's content.
        case content
        /// Behind the closing boundary, where one CRLF may follow.
        case closed, closedLineFeed, finished
        case failed(MultipartFault)
    }

    let limits: MultipartLimits
    /// CRLF, two hyphens, the boundary.
    let delimiter: [UInt8]
    var state = State.opening
    /// How many bytes of the delimiter were matched at the end of what was fed.
    var matched = 2
    /// How many of the matched bytes belong to what came before and are no content should the match fail.
    var matchedBefore = 2
    var line: [UInt8] = []
    var headers = PartHeaders()
    private var parts = 0
    var bodyBytes = 0

    /// A parser of one body.
    ///
    /// - Parameters:
    ///   - boundary: the boundary that the request's Content-Type names.
    ///   - limits: what the body may hold.
    package init(boundary: MultipartBoundary, limits: MultipartLimits) {
        self.limits = limits
        self.delimiter = Array("\r\n--".utf8) + boundary.bytes
    }

    /// Reads the next chunk of the body.
    ///
    /// - Parameter bytes: the chunk, of any size; contents are handed back as slices of it, not copied.
    /// - Returns: the events that the chunk completes.
    /// - Throws: the first fault of the body, also on every later call. Events of the same chunk are lost with it.
    package mutating func feed(_ bytes: ArraySlice<UInt8>) throws(MultipartFault) -> [MultipartEvent] {
        if case .failed(let fault) = state { throw fault }
        var events: [MultipartEvent] = []
        var rest = bytes
        do throws(MultipartFault) {
            while !rest.isEmpty {
                try step(&rest, &events)
            }
        } catch {
            state = .failed(error)
            throw error
        }
        return events
    }

    /// Reads the next chunk of the body from an array.
    package mutating func feed(_ bytes: [UInt8]) throws(MultipartFault) -> [MultipartEvent] {
        try feed(bytes[...])
    }

    /// Reads the next chunk of the body from memory that lives only as long as the call: copies it once.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(MultipartFault) -> [MultipartEvent] {
        try feed(Array(bytes)[...])
    }

    /// Says that the body has ended.
    ///
    /// - Throws: `truncated` where the closing boundary has not been read, or the fault that was met before.
    package mutating func finish() throws(MultipartFault) {
        switch state {
        case .closed, .finished: return
        case .failed(let fault): throw fault
        default:
            state = .failed(.truncated)
            throw .truncated
        }
    }
}

extension MultipartParser {
    private mutating func step(_ rest: inout ArraySlice<UInt8>, _ events: inout [MultipartEvent])
        throws(MultipartFault)
    {
        switch state {
        case .opening:
            guard rest.removeFirst() == delimiter[matched] else { throw .noOpeningBoundary }
            matched += 1
            if matched == delimiter.count { state = .boundaryEnd }
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
        case .content:
            try takeContent(&rest, &events)
        case .closed:
            guard rest.removeFirst() == UInt8(ascii: "\r") else { throw .bytesAfterEnd }
            state = .closedLineFeed
        case .closedLineFeed:
            guard rest.removeFirst() == UInt8(ascii: "\n") else { throw .bytesAfterEnd }
            state = .finished
        case .finished:
            throw .bytesAfterEnd
        case .failed(let fault):
            throw fault
        }
    }
}
