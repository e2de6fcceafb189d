/// What has been read of one part's headers.
struct PartHeaders: Sendable {
    var bytes = 0
    var lines = 0
    var disposition: MultipartPart?
    var contentType: String?
}

extension MultipartParser {
    /// Takes header bytes up to the CR that ends the line.
    mutating func takeHeaderBytes(_ rest: inout ArraySlice<UInt8>) throws(MultipartFault) {
        let taken = rest.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        headers.bytes += taken.count
        guard headers.bytes + 2 <= limits.headerBytes else { throw .partHeadersTooLarge }
        line += taken
        rest = rest[taken.endIndex...]
        guard let end = rest.popFirst() else { return }
        guard end == UInt8(ascii: "\r") else { throw .bareLineBreak }
        state = .headerLineFeed
    }

    /// Reads the line that is complete now; the empty one ends the headers.
    mutating func endHeaderLine(_ events: inout [MultipartEvent]) throws(MultipartFault) {
        headers.bytes += 2
        state = .headers
        guard line.isEmpty else {
            headers.lines += 1
            guard headers.lines <= limits.headerLines else { throw .tooManyPartHeaders }
            try readHeader(line[...])
            line.removeAll(keepingCapacity: true)
            return
        }
        guard var part = headers.disposition else { throw .missingDisposition }
        part.contentType = headers.contentType
        events.append(.partHeaders(part))
        beginContent()
    }

    private mutating func readHeader(_ line: ArraySlice<UInt8>) throws(MultipartFault) {
        // A name must be a token, which also refuses folded lines, as those begin with a blank.
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

    private static func part(disposition value: ArraySlice<UInt8>) throws(MultipartFault) -> MultipartPart {
        guard let value = HeaderValue(value) else { throw .malformedDisposition }
        guard value.type == "form-data" else { throw .missingDisposition }
        var name: String?
        var filename: String?
        for parameter in value.parameters {
            // `filename*` must not be sent (RFC 7578 §4.2) and is passed over, as other parameters are.
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

extension ArraySlice<UInt8> {
    fileprivate var trimmingBlanks: ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let start = drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return [] }
        return start[...last]
    }
}
