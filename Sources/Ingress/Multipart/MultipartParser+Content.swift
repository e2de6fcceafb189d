internal import Glibc

extension MultipartParser {
    /// Starts the content of a part.
    ///
    /// The CRLF at the end of the headers already counts as the beginning of a delimiter, because the content of a
    /// part is optional (RFC 2046 §5.1.1: `body-part := MIME-part-headers [CRLF *OCTET]`).
    mutating func beginContent() {
        beginText(.content)
    }

    /// Starts a text that ends before the next delimiter. The CRLF before the text already counts as the beginning of a
    /// delimiter.
    mutating func beginText(_ state: State) {
        matched = 2
        matchedBefore = 2
        self.state = state
    }

    /// Takes the content up to the next delimiter or the end of the chunk. Bytes at the end of the chunk that may begin
    /// a delimiter are not emitted yet.
    mutating func takeContent(_ rest: inout ArraySlice<UInt8>, _ events: inout [MultipartEvent])
        throws(MultipartError)
    {
        if matched > 0 {
            try continueMatch(&rest, &events)
            return
        }
        if let start = rest.firstIndex(of: delimiter) {
            try emit(rest[..<start], &events)
            rest = rest[(start + delimiter.count)...]
            try endContent(&events)
        } else {
            matched = rest.countOfSuffix(beginning: delimiter)
            matchedBefore = 0
            try emit(rest.dropLast(matched), &events)
            rest = rest[rest.endIndex...]
        }
    }

    /// Continues to match a delimiter that began in an earlier chunk. If the match fails, its bytes are emitted as
    /// content.
    private mutating func continueMatch(_ rest: inout ArraySlice<UInt8>, _ events: inout [MultipartEvent])
        throws(MultipartError)
    {
        while let byte = rest.first {
            guard byte == delimiter[matched] else {
                // The only CR of a delimiter is its first byte, so no other match can begin inside the matched bytes.
                try emit(delimiter[matchedBefore..<max(matched, matchedBefore)], &events)
                matched = 0
                return
            }
            rest.removeFirst()
            matched += 1
            if matched == delimiter.count {
                try endContent(&events)
                return
            }
        }
    }

    private mutating func endContent(_ events: inout [MultipartEvent]) throws(MultipartError) {
        switch state {
        case .content: events.append(.partEnd)
        // A program that reads the body differently could take this for another part.
        case .epilogue: throw .bytesAfterEnd
        default: break
        }
        matched = 0
        matchedBefore = 0
        state = .boundaryEnd
    }

    private mutating func emit(_ content: ArraySlice<UInt8>, _ events: inout [MultipartEvent]) throws(MultipartError) {
        guard !content.isEmpty else { return }
        guard case .content = state else { return try skip(content.count) }
        bodyBytes += content.count
        guard bodyBytes <= limits.bodyBytes else { throw .bodyTooLarge }
        events.append(.bodyBytes(content))
    }

    /// Skips text before the first boundary or after the last one.
    private mutating func skip(_ count: Int) throws(MultipartError) {
        surroundingBytes += count
        guard surroundingBytes <= limits.surroundingBytes else {
            if case .preamble = state { throw .noOpeningBoundary }
            throw .bytesAfterEnd
        }
    }
}

extension ArraySlice<UInt8> {
    /// Returns the index of the first complete delimiter.
    ///
    /// The time is linear for any input. The first byte of a delimiter occurs in the delimiter only once, so no
    /// comparison starts inside the bytes that an earlier comparison matched.
    fileprivate func firstIndex(of delimiter: [UInt8]) -> Int? {
        let offset: Int? = withUnsafeBytes { bytes in
            delimiter.withUnsafeBytes { delimiter in
                guard let base = bytes.baseAddress, let wanted = delimiter.baseAddress else { return nil }
                var position = 0
                while bytes.count - position >= delimiter.count {
                    let last = bytes.count - delimiter.count
                    guard let found = memchr(base + position, Int32(delimiter[0]), last - position + 1) else {
                        return nil
                    }
                    position = UnsafeRawPointer(found) - base
                    if memcmp(found, wanted, delimiter.count) == 0 { return position }
                    position += 1
                }
                return nil
            }
        }
        return offset.map { startIndex + $0 }
    }

    /// Returns the number of trailing bytes that are the beginning of a delimiter.
    fileprivate func countOfSuffix(beginning delimiter: [UInt8]) -> Int {
        let tail = suffix(delimiter.count - 1)
        guard let start = tail.lastIndex(of: delimiter[0]), delimiter.starts(with: tail[start...]) else { return 0 }
        return tail.endIndex - start
    }
}
