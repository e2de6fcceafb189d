#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension MultipartParser {
    /// Starts a part's content.
    ///
    /// The CRLF that ended the headers counts as the start of a delimiter, since a part may have no content at all
    /// (RFC 2046 §5.1.1: `body-part := MIME-part-headers [CRLF *OCTET]`).
    mutating func beginContent() {
        matched = 2
        matchedBefore = 2
        state = .content
    }

    /// Takes content up to the next delimiter, or to the end of the chunk without what may be a delimiter's beginning.
    mutating func takeContent(_ rest: inout ArraySlice<UInt8>, _ events: inout [MultipartEvent])
        throws(MultipartFault)
    {
        if matched > 0 {
            try continueMatch(&rest, &events)
            return
        }
        if let start = rest.firstIndex(of: delimiter) {
            try emit(rest[..<start], &events)
            rest = rest[(start + delimiter.count)...]
            endContent(&events)
        } else {
            matched = rest.countOfSuffix(beginning: delimiter)
            matchedBefore = 0
            try emit(rest.dropLast(matched), &events)
            rest = rest[rest.endIndex...]
        }
    }

    /// Goes on with a delimiter that began in an earlier chunk; hands its bytes out as content once it proves to be none.
    private mutating func continueMatch(_ rest: inout ArraySlice<UInt8>, _ events: inout [MultipartEvent])
        throws(MultipartFault)
    {
        while let byte = rest.first {
            guard byte == delimiter[matched] else {
                // A delimiter holds one CR, its first byte: no later start can hide inside the part that matched.
                try emit(delimiter[matchedBefore..<max(matched, matchedBefore)], &events)
                matched = 0
                return
            }
            rest.removeFirst()
            matched += 1
            if matched == delimiter.count {
                endContent(&events)
                return
            }
        }
    }

    private mutating func endContent(_ events: inout [MultipartEvent]) {
        matched = 0
        matchedBefore = 0
        state = .boundaryEnd
        events.append(.partEnd)
    }

    private mutating func emit(_ content: ArraySlice<UInt8>, _ events: inout [MultipartEvent]) throws(MultipartFault) {
        guard !content.isEmpty else { return }
        bodyBytes += content.count
        guard bodyBytes <= limits.bodyBytes else { throw .bodyTooLarge }
        events.append(.bodyBytes(content))
    }
}

extension ArraySlice<UInt8> {
    /// Where a whole delimiter begins.
    ///
    /// Linear whatever the bytes are: the delimiter's first byte occurs in it only once, so that the stretches which are
    /// compared with it cannot overlap.
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

    /// How many of the last bytes are the beginning of a delimiter, whose first byte occurs in it only once.
    fileprivate func countOfSuffix(beginning delimiter: [UInt8]) -> Int {
        let tail = suffix(delimiter.count - 1)
        guard let start = tail.lastIndex(of: delimiter[0]), delimiter.starts(with: tail[start...]) else { return 0 }
        return tail.endIndex - start
    }
}
