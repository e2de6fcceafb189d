import Multipart

/// The fuzz target for uploads: the boundary in the Content-Type and the multipart parser.
enum MultipartTarget {
    private static let boundary = "boundary"

    /// Parses an input as a body in chunks of several sizes, and its first line as a Content-Type.
    ///
    /// - Returns: a description of the failure; `nil` if each chunk size gives the same result.
    static func failure(in input: [UInt8]) -> String? {
        let line = input.prefix { $0 != 0x0A }
        _ = try? MultipartBoundary(contentType: String(decoding: line, as: UTF8.self))
        let whole = result(input, chunkSize: input.count)
        for size in [1, 7] where result(input, chunkSize: size) != whole {
            return "the result in chunks of \(size) bytes differs from the result in one chunk"
        }
        return nil
    }

    /// Returns the parts with their contents, or the error.
    private static func result(_ input: [UInt8], chunkSize: Int) -> ParseResult {
        var result = ParseResult()
        do throws(MultipartError) {
            var parser = MultipartParser(
                boundary: try MultipartBoundary(bytes: Array(boundary.utf8)),
                limits: MultipartLimits(bodyBytes: 4096, parts: 3, headerBytes: 512, headerLines: 4))
            var rest = input[...]
            while !rest.isEmpty {
                for event in try parser.feed(rest.prefix(chunkSize)) { result.add(event) }
                rest = rest.dropFirst(chunkSize)
            }
            try parser.finish()
        } catch {
            // The events of the chunk that contains the error are lost, so only the error is compared.
            return ParseResult(error: error)
        }
        return result
    }

    private struct ParseResult: Equatable {
        var parts: [MultipartPart] = []
        var contents: [[UInt8]] = []
        var ends = 0
        var error: MultipartError?

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
        "--boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n"
            + "Content-Type: image/png\r\n\r\n\u{89}PNG\r\n--boundary--\r\n",
        "--boundary\r\nContent-Disposition: form-data; name=file\r\n\r\n\r\n--boundar\r\n"
            + "--boundary\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nx\r\n--boundary--",
        "multipart/form-data; boundary=\"a b\\\"c\"\n--boundary--",
        "--boundary\r\nContent-Disposition: form-data; name=\"a\\\"b\"; filename*=UTF-8''%e2%82%ac\r\n\r\n\r\n\r\n"
            + "--boundary--\r\n",
        "preamble\r\n--boundary\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--boundary--\r\nepilogue",
    ].map { Array($0.utf8) }

    static let dictionary: [[UInt8]] = [
        "\r\n", "\r", "\n", "--", "--boundary", "--boundary--", "\r\n--boundary\r\n", ";", "=", "\"", "\\", ":",
        "Content-Disposition: form-data; name=\"x\"\r\n", "Content-Type: ", "multipart/form-data;", "boundary=", " ",
    ].map { Array($0.utf8) }
}
