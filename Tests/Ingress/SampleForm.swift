import Multipart

/// A body of two fields and a file. The file contains every beginning of the delimiter, but not the whole delimiter.
enum SampleForm {
    static let boundary = "----Warren7MA4YWxk"

    static var fileBytes: [UInt8] {
        let delimiter = Array("\r\n--\(boundary)".utf8)
        return (1..<delimiter.count).flatMap { Array(delimiter.prefix($0)) } + [0, 255, 13, 13, 10, 45, 45]
    }

    static var body: [UInt8] {
        var body = part("content-disposition: form-data; name=title", Array("first".utf8))
        body += part("Content-Disposition: form-data; name=\"empty\"", [])
        body += part(
            "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".png\"\r\nContent-Type: image/png",
            fileBytes)
        return body + Array("--\(boundary)--\r\n".utf8)
    }

    static func part(_ headers: String, _ content: [UInt8], boundary: String = SampleForm.boundary) -> [UInt8] {
        Array("--\(boundary)\r\n\(headers)\r\n\r\n".utf8) + content + [13, 10]
    }

    static func parser(limits: MultipartLimits = MultipartLimits(bodyBytes: 1 << 20)) throws -> MultipartParser {
        MultipartParser(boundary: try MultipartBoundary(bytes: Array(boundary.utf8)), limits: limits)
    }

    /// Parses a body in chunks of `chunk` bytes and returns the events, with adjacent `bodyBytes` joined.
    static func events(
        of body: [UInt8], chunk: Int = .max, limits: MultipartLimits = MultipartLimits(bodyBytes: 1 << 20)
    ) throws -> [MultipartEvent] {
        var parser = try parser(limits: limits)
        var events: [MultipartEvent] = []
        var start = 0
        while start < body.count {
            let end = start + min(chunk, body.count - start)
            for event in try parser.feed(body[start..<end]) {
                if case .bodyBytes(let more) = event, case .bodyBytes(let previous) = events.last {
                    events[events.count - 1] = .bodyBytes(previous + more)
                } else {
                    events.append(event)
                }
            }
            start = end
        }
        try parser.finish()
        return events
    }
}
