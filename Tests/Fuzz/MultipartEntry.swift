import Multipart

/// What an upload meets: the boundary in its content type, and the parser of its body.
enum MultipartEntry {
    private static let boundary = "boundary"

    /// Reads an input, as the body and its first line as the content type.
    ///
    /// - Returns: what is wrong with how it was read; nothing where all is well.
    static func fault(in input: [UInt8]) -> String? {
        let line = input.prefix { $0 != 0x0A }
        _ = try? MultipartBoundary(contentType: String(decoding: line, as: UTF8.self))
        let whole = outcome(input, cutBy: input.count)
        for size in [1, 7] where outcome(input, cutBy: size) != whole {
            return "in pieces of \(size) it is something else"
        }
        return nil
    }

    /// The parts and what is in them, and the fault that ended the reading.
    private static func outcome(_ input: [UInt8], cutBy size: Int) -> Outcome {
        var outcome = Outcome()
        do throws(MultipartFault) {
            var parser = MultipartParser(
                boundary: try MultipartBoundary(bytes: Array(boundary.utf8)),
                limits: MultipartLimits(bodyBytes: 4096, parts: 3, headerBytes: 512, headerLines: 4))
            var rest = input[...]
            while !rest.isEmpty {
                for event in try parser.feed(rest.prefix(size)) { outcome.add(event) }
                rest = rest.dropFirst(size)
            }
            try parser.finish()
        } catch {
            // Events of the piece in which the fault is are lost with it: only the fault is the same.
            return Outcome(fault: error)
        }
        return outcome
    }

    private struct Outcome: Equatable {
        var parts: [MultipartPart] = []
        var contents: [[UInt8]] = []
        var ends = 0
        var fault: MultipartFault?

        mutating func add(_ event: MultipartEvent) {
            switch event {
            case .partHeaders(let part):
                parts.append(part)
                contents.append([])
            case .bodyBytes(let bytes): contents[contents.count - 1] += bytes
            case .partEnd, .end: ends += 1
            }
        }
    }

    static let seeds: [[UInt8]] = [
        "--boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\u{89}PNG\r\n--boundary--\r\n",
        "--boundary\r\nContent-Disposition: form-data; name=file\r\n\r\n\r\n--boundar\r\n--boundary\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nx\r\n--boundary--",
        "multipart/form-data; boundary=\"a b\\\"c\"\n--boundary--",
        "--boundary\r\nContent-Disposition: form-data; name=\"a\\\"b\"; filename*=UTF-8''%e2%82%ac\r\n\r\n\r\n\r\n--boundary--\r\n",
    ].map { Array($0.utf8) }

    static let words: [[UInt8]] = [
        "\r\n", "\r", "\n", "--", "--boundary", "--boundary--", "\r\n--boundary\r\n", ";", "=", "\"", "\\", ":",
        "Content-Disposition: form-data; name=\"x\"\r\n", "Content-Type: ", "multipart/form-data;", "boundary=", " ",
    ].map { Array($0.utf8) }
}
