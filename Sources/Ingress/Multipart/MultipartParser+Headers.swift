internal import ASCII

/// The headers of the current part that have been parsed so far.
struct PartHeaders: Sendable {
    var byteCount = 0
    var lineCount = 0
    var disposition: MultipartPart?
    var contentType: String?
}

extension MultipartParser {
    /// Takes header bytes up to the CR at the end of the line.
    mutating func takeHeaderBytes(_ rest: inout ArraySlice<UInt8>) throws(MultipartError) {
        let taken = rest.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        headers.byteCount += taken.count
        guard headers.byteCount + 2 <= limits.headerBytes else { throw .partHeadersTooLarge }
        line += taken
        rest = rest[taken.endIndex...]
        guard let end = rest.popFirst() else { return }
        guard end == UInt8(ascii: "\r") else { throw .bareLineBreak }
        state = .headerLineFeed
    }

    /// Parses the complete line. An empty line ends the headers.
    mutating func endHeaderLine(_ events: inout [MultipartEvent]) throws(MultipartError) {
        headers.byteCount += 2
        state = .headers
        guard line.isEmpty else {
            headers.lineCount += 1
            guard headers.lineCount <= limits.headerLines else { throw .tooManyPartHeaders }
            try readHeader(line[...])
            line.removeAll(keepingCapacity: true)
            return
        }
        guard var part = headers.disposition else { throw .missingDisposition }
        part.contentType = headers.contentType
        events.append(.partHeaders(part))
        beginContent()
    }

    private mutating func readHeader(_ line: ArraySlice<UInt8>) throws(MultipartError) {
        // A folded line begins with a blank, which is not a token character, so it is refused too.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(\.isToken)
        else { throw .malformedPartHeader }
        let value = line[(colon + 1)...].trimmingBlanks
        guard value.allSatisfy({ !$0.isControl || $0 == UInt8(ascii: "\t") }),
            let text = String(validating: value, as: UTF8.self)
        else { throw .malformedPartHeader }
        switch String(decoding: line[..<colon], as: UTF8.self).lowercased() {
        case "content-disposition":
            guard headers.disposition == nil else { throw .malformedDisposition }
            headers.disposition = try Self.part(disposition: value)
        case "content-type":
            guard headers.contentType == nil else { throw .malformedPartHeader }
            headers.contentType = text
        case "content-transfer-encoding":
            guard ["7bit", "8bit", "binary"].contains(text.lowercased()) else { throw .unsupportedTransferEncoding }
        default:
            break
        }
    }

    private static func part(disposition value: ArraySlice<UInt8>) throws(MultipartError) -> MultipartPart {
        guard let value = HeaderValue(value) else { throw .malformedDisposition }
        guard value.type == "form-data" else { throw .missingDisposition }
        var name: String?
        var filename: String?
        for parameter in value.parameters {
            // `filename*` must not be sent (RFC 7578 §4.2); it is ignored like any unknown parameter.
            guard parameter.name == "name" || parameter.name == "filename" else { continue }
            guard let text = String(validating: parameter.value, as: UTF8.self) else { throw .malformedDisposition }
            if parameter.name == "name" {
                guard name == nil else { throw .malformedDisposition }
                name = text
            } else {
                guard filename == nil else { throw .malformedDisposition }
                filename = text
            }
        }
        guard let name, !name.isEmpty else { throw .missingName }
        return MultipartPart(name: name, filename: filename)
    }
}
