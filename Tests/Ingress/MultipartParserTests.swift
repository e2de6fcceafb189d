import Multipart
import Testing

@Suite("A multipart body")
struct MultipartParserTests {
    static let expected: [MultipartEvent] = [
        .partHeaders(MultipartPart(name: "title")), .bodyBytes(ArraySlice("first".utf8)), .partEnd,
        .partHeaders(MultipartPart(name: "empty")), .partEnd,
        .partHeaders(MultipartPart(name: "file", filename: "a \"b\".png", contentType: "image/png")),
        .bodyBytes(ArraySlice(Sample.fileBytes)), .partEnd, .end,
    ]

    @Test("yields the same events however it is cut into chunks")
    func everyChunkSize() throws {
        for chunk in 1...Sample.body.count {
            #expect(try Sample.events(of: Sample.body, chunk: chunk) == Self.expected, "chunk size \(chunk)")
        }
    }

    @Test("yields the same events whatever place it is cut at")
    func everyCut() throws {
        let body = Sample.body
        for cut in 0...body.count {
            var parser = try Sample.parser()
            var content: [UInt8] = []
            for event in try parser.feed(body[..<cut]) + parser.feed(body[cut...]) {
                if case .bodyBytes(let bytes) = event { content += bytes }
            }
            try parser.finish()
            #expect(content == Array("first".utf8) + Sample.fileBytes, "cut at \(cut)")
        }
    }

    @Test("is truncated wherever it ends before its closing boundary")
    func truncated() throws {
        let body = Sample.body
        for length in 0..<(body.count - 2) {
            var parser = try Sample.parser()
            _ = try parser.feed(body[..<length])
            #expect(throws: MultipartFault.truncated) { try parser.finish() }
        }
    }

    @Test("may end at its closing boundary, without a line end")
    func noLastLineEnd() throws {
        #expect(try Sample.events(of: Array(Sample.body.dropLast(2))) == Self.expected)
    }

    @Test("may have no part at all")
    func noParts() throws {
        #expect(try Sample.events(of: Array("--\(Sample.boundary)--\r\n".utf8)) == [.end])
    }

    @Test("may have a part without content and without the empty line's own line end")
    func shortestPart() throws {
        let body = Array(
            """
            --\(Sample.boundary)\r\nContent-Disposition: form-data; name=a\r\n\r\n--\(Sample.boundary)--\r\n
            """.utf8)
        for chunk in 1...body.count {
            #expect(
                try Sample.events(of: body, chunk: chunk) == [
                    .partHeaders(MultipartPart(name: "a")), .partEnd, .end,
                ])
        }
    }

    @Test("keeps hyphens and line ends at the start of a part's content")
    func contentLikeADelimiter() throws {
        for text in ["-", "--", "--x", "\r", "\r\n", "\r\n--", "\n", "\r\r\n--", "--\r\n--"] {
            let content = Array(text.utf8)
            let body =
                Sample.part("Content-Disposition: form-data; name=a", content)
                + Array("--\(Sample.boundary)--\r\n".utf8)
            for chunk in 1...body.count {
                #expect(
                    try Sample.events(of: body, chunk: chunk) == [
                        .partHeaders(MultipartPart(name: "a")), .bodyBytes(content[...]), .partEnd, .end,
                    ], "\(content) in chunks of \(chunk)")
            }
        }
    }

    @Test("of 5 MiB comes through whole, also where it is all carriage returns or beginnings of the delimiter")
    func large() throws {
        let size = 5 << 20
        let beginning = Array("\r\n--\(Sample.boundary)".utf8.dropLast())
        let contents: [[UInt8]] = [
            [UInt8](repeating: 13, count: size),
            [UInt8](repeating: 45, count: size),
            Array(repeatElement(beginning, count: size / beginning.count).joined()),
        ]
        for content in contents {
            let body =
                Sample.part("Content-Disposition: form-data; name=a; filename=b", content)
                + Array("--\(Sample.boundary)--".utf8)
            var parser = try Sample.parser(limits: MultipartLimits(bodyBytes: size))
            var received: [UInt8] = []
            for start in stride(from: 0, to: body.count, by: 65_536) {
                for event in try parser.feed(body[start..<min(start + 65_536, body.count)]) {
                    if case .bodyBytes(let bytes) = event { received += bytes }
                }
            }
            try parser.finish()
            #expect(received == content)
        }
    }

    @Test("can be fed from memory that is not an array")
    func rawMemory() throws {
        var parser = try Sample.parser()
        let events = try Sample.body.withUnsafeBytes { try parser.feed($0) }
        #expect(events.last == .end)
    }
}
