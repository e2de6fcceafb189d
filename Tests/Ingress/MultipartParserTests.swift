import Multipart
import Testing

@Suite("The multipart parser")
struct MultipartParserTests {
    static let expected: [MultipartEvent] = [
        .partHeaders(MultipartPart(name: "title")), .bodyBytes(ArraySlice("first".utf8)), .partEnd,
        .partHeaders(MultipartPart(name: "empty")), .partEnd,
        .partHeaders(MultipartPart(name: "file", filename: "a \"b\".png", contentType: "image/png")),
        .bodyBytes(ArraySlice(SampleForm.fileBytes)), .partEnd, .end,
    ]

    @Test("a multipart body yields the same events for every chunk size")
    func everyChunkSize() throws {
        for chunk in 1...SampleForm.body.count {
            #expect(try SampleForm.events(of: SampleForm.body, chunk: chunk) == Self.expected, "chunk size \(chunk)")
        }
    }

    @Test("a multipart body yields the same contents for every division into two chunks")
    func everyCut() throws {
        let body = SampleForm.body
        for cut in 0...body.count {
            var parser = try SampleForm.parser()
            var content: [UInt8] = []
            for event in try parser.feed(body[..<cut]) + parser.feed(body[cut...]) {
                if case .bodyBytes(let bytes) = event { content += bytes }
            }
            try parser.finish()
            #expect(content == Array("first".utf8) + SampleForm.fileBytes, "cut at \(cut)")
        }
    }

    @Test("a multipart body that ends before its closing boundary is refused as truncated")
    func truncated() throws {
        let body = SampleForm.body
        for length in 0..<(body.count - 2) {
            var parser = try SampleForm.parser()
            _ = try parser.feed(body[..<length])
            #expect(throws: MultipartError.truncated) { try parser.finish() }
        }
    }

    @Test("a multipart body may end without a line end after its closing boundary")
    func noLastLineEnd() throws {
        #expect(try SampleForm.events(of: Array(SampleForm.body.dropLast(2))) == Self.expected)
    }

    @Test("a text before the first boundary and after the last one is skipped, for every chunk size")
    func surroundings() throws {
        for (preamble, epilogue) in [
            ("This is a multi-part message in MIME format.", ""), ("\r\n", "\r\n"), ("--", "--"),
            ("--\(SampleForm.boundary.dropLast())", "\r\n--"), ("", "epilogue"), ("one\r\ntwo", "one\r\ntwo\r\n"),
            (String(repeating: "p", count: 4000), String(repeating: "e", count: 96)),
        ] {
            let start = preamble.isEmpty ? [] : Array("\(preamble)\r\n".utf8)
            let body = start + SampleForm.body + Array(epilogue.utf8)
            for chunk in [1, 2, 3, 7, body.count] {
                #expect(try SampleForm.events(of: body, chunk: chunk) == Self.expected, "\(preamble), \(chunk)")
            }
        }
    }

    @Test("a multipart body without parts is accepted")
    func noParts() throws {
        #expect(try SampleForm.events(of: Array("--\(SampleForm.boundary)--\r\n".utf8)) == [.end])
    }

    @Test("a part without content may use the line end after its headers as the start of the delimiter")
    func shortestPart() throws {
        let body = Array(
            """
            --\(SampleForm.boundary)\r\nContent-Disposition: form-data; name=a\r\n\r\n--\(SampleForm.boundary)--\r\n
            """.utf8)
        for chunk in 1...body.count {
            #expect(
                try SampleForm.events(of: body, chunk: chunk) == [
                    .partHeaders(MultipartPart(name: "a")), .partEnd, .end,
                ])
        }
    }

    @Test("hyphens and line ends at the start of a part's content are kept")
    func contentLikeADelimiter() throws {
        for text in ["-", "--", "--x", "\r", "\r\n", "\r\n--", "\n", "\r\r\n--", "--\r\n--"] {
            let content = Array(text.utf8)
            let body =
                SampleForm.part("Content-Disposition: form-data; name=a", content)
                + Array("--\(SampleForm.boundary)--\r\n".utf8)
            for chunk in 1...body.count {
                #expect(
                    try SampleForm.events(of: body, chunk: chunk) == [
                        .partHeaders(MultipartPart(name: "a")), .bodyBytes(content[...]), .partEnd, .end,
                    ], "\(content) in chunks of \(chunk)")
            }
        }
    }

    @Test("a part of 5 MiB of carriage returns, hyphens or delimiter prefixes is kept completely")
    func large() throws {
        let size = 5 << 20
        let beginning = Array("\r\n--\(SampleForm.boundary)".utf8.dropLast())
        let contents: [[UInt8]] = [
            [UInt8](repeating: 13, count: size),
            [UInt8](repeating: 45, count: size),
            Array(repeatElement(beginning, count: size / beginning.count).joined()),
        ]
        for content in contents {
            let body =
                SampleForm.part("Content-Disposition: form-data; name=a; filename=b", content)
                + Array("--\(SampleForm.boundary)--".utf8)
            var parser = try SampleForm.parser(limits: MultipartLimits(bodyBytes: size))
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
}
