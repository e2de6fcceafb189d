import Contracts
import Testing

@testable import Ingress

@Suite("Upload forms")
struct UploadFormTests {
    private static let type = "multipart/form-data; boundary=b"
    private static let disposition = "Content-Disposition: form-data; name=\"file\"; filename=\"cat.png\""

    private static func part(_ headers: String, _ content: [UInt8]) -> [UInt8] {
        Array("--b\r\n\(headers)\r\n\r\n".utf8) + content + [13, 10]
    }

    private static let end = Array("--b--\r\n".utf8)

    private func read(_ body: [UInt8], type: String? = UploadFormTests.type, chunk: Int = .max, limit: Int = 1 << 20)
        throws(Problem) -> UploadedFile
    {
        var form = try UploadForm(contentType: type, limit: limit)
        var start = 0
        while start < body.count {
            let length = min(chunk, body.count - start)
            try form.feed(Array(body[start..<(start + length)]))
            start += length
        }
        return try form.finish()
    }

    private func refusal(_ body: [UInt8], type: String? = UploadFormTests.type, chunk: Int = .max) -> Problem? {
        do throws(Problem) {
            _ = try read(body, type: type, chunk: chunk)
            return nil
        } catch {
            return error
        }
    }

    @Test("an uploaded file is kept byte for byte, for any content and any chunk size")
    func everyCut() throws {
        let contents: [[UInt8]] = [
            Array(0...255), Array("--".utf8), Array("\r\n--".utf8), Array("\r\n--c--\r\n".utf8),
            Array("--a--\r\n".utf8), Array("x\r\n--a\r\n\r\n--".utf8) + [0, 255], Array("\r\n-\r\n--\r\n--B--".utf8),
        ]
        for content in contents {
            let body = Self.part(Self.disposition, content) + Self.end
            for chunk in 1...body.count {
                #expect(try read(body, chunk: chunk).bytes == content, "\(content) in chunks of \(chunk)")
            }
            for cut in 0...body.count {
                var form = try UploadForm(contentType: Self.type, limit: 1 << 20)
                try form.feed(Array(body[..<cut]))
                try form.feed(Array(body[cut...]))
                #expect(try form.finish().bytes == content)
            }
        }
    }

    @Test("an upload whose file contains the boundary gets malformed-request")
    func boundaryInside() {
        for inside in ["--b", "--b--\r\n", "x\r\n--b", "x\r\n--b--", "x\r\n--b\r\n", "x\r\n--bcd", "x\r\n--b \r\n"] {
            let body = Self.part(Self.disposition, Array(inside.utf8)) + Self.end
            for chunk in [1, 2, 3, body.count] {
                #expect(refusal(body, chunk: chunk)?.code == .malformedRequest, "\(inside)")
            }
        }
    }

    private static func field(_ name: String, _ value: String) -> String {
        "--b\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
    }

    /// The parts around the file `x`, and the description in them.
    static let extras: [(before: String, after: String, description: String?)] = [
        ("", field("ownerId", "y"), nil), (field("id", "y"), "", nil),
        (field("_charset_", "utf-8"), field("submit", ""), nil),
        ("This is a multi-part message in MIME format.\r\n", "", nil), ("\r\n", "", nil),
        (field("description", "A rabbit 🐇"), "", "A rabbit 🐇"), ("", field("description", " a\r\nb "), " a\r\nb "),
        ("", field("description", ""), ""), (field("title", "y"), field("description", "z"), "z"),
        ("--b\r\nContent-Disposition: form-data; name=\"other\"; filename=\"\"\r\n\r\n\r\n", "", nil),
        ("--b\r\nContent-Disposition: form-data; name=\"description\"; filename=\"d.txt\"\r\n\r\nz\r\n", "", "z"),
        ((0..<15).map { field("f\($0)", "y") }.joined(), "", nil),
    ]

    @Test("a form with text fields or a MIME preamble is accepted, and only the description is read", arguments: extras)
    func extraParts(_ before: String, _ after: String, _ description: String?) throws {
        let file = String(decoding: Self.part(Self.disposition, Array("x".utf8)), as: UTF8.self)
        for end in ["--b--", "--b--\r\n", "--b--\r\nThis is the epilogue.\r\n"] {
            let body = Array((before + file + after + end).utf8)
            for chunk in [1, 7, body.count] {
                let upload = try read(body, chunk: chunk)
                #expect(upload.bytes == Array("x".utf8))
                #expect(upload.description == description)
            }
        }
    }

    @Test(
        "text fields of more than 16 KiB together get body-too-large, and a description that is not UTF-8 gets invalid")
    func textFields() throws {
        let file = Self.part(Self.disposition, [1])
        let half = String(repeating: "y", count: 8 * 1024)
        let fields = Self.field("a", half) + Self.field("description", half)
        #expect(try read(Array(fields.utf8) + file + Self.end, limit: 1).description == half)
        let larger = Array((fields + Self.field("b", "y")).utf8)
        for body in [larger + file + Self.end, file + larger + Self.end] {
            for chunk in [1, 1000, body.count] {
                let problem = refusal(body, chunk: chunk)
                #expect(problem?.code == .bodyTooLarge)
                #expect(problem?.detail == "The text fields must not have more than 16384 bytes together.")
            }
        }
        let latin1 = Self.part("Content-Disposition: form-data; name=description", [0xE9])
        let problem = refusal(file + latin1 + Self.end)
        #expect(problem?.code == .invalid)
        #expect(problem?.faults.map(\.pointer) == ["/description"])
    }

    static let forms: [(String, String)] = [
        ("an empty body", ""), ("no part", "--b--\r\n"), ("no end", "--b\r\n\(disposition)\r\n\r\nx"),
        ("only a line end", "\r\n"), ("another boundary", "--c\r\n\(disposition)\r\n\r\nx\r\n--c--\r\n"),
        ("two files", "--b\r\n\(disposition)\r\n\r\nx\r\n--b\r\n\(disposition)\r\n\r\ny\r\n--b--\r\n"),
        (
            "a file with another name beside the file",
            "--b\r\n\(disposition)\r\n\r\nx\r\n"
                + "--b\r\nContent-Disposition: form-data; name=\"ownerId\"; filename=\"y\"\r\n\r\ny\r\n--b--\r\n"
        ),
        (
            "two descriptions",
            "--b\r\n\(disposition)\r\n\r\nx\r\n\(field("description", "y"))\(field("description", "y"))--b--\r\n"
        ),
        (
            "more than 16 parts",
            (0..<16).map { field("f\($0)", "") }.joined() + "--b\r\n\(disposition)\r\n\r\nx\r\n--b--"
        ),
        ("a text before the boundary without a line end", "hello--b\r\n\(disposition)\r\n\r\nx\r\n--b--\r\n"),
        ("a long preamble", String(repeating: "p", count: 4097) + "\r\n--b\r\n\(disposition)\r\n\r\nx\r\n--b--\r\n"),
        ("another name", "--b\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nx\r\n--b--\r\n"),
        ("another case", "--b\r\nContent-Disposition: form-data; name=\"File\"\r\n\r\nx\r\n--b--\r\n"),
        ("the name of an array", "--b\r\nContent-Disposition: form-data; name=\"file[]\"\r\n\r\nx\r\n--b--\r\n"),
        ("a NUL in the name", "--b\r\nContent-Disposition: form-data; name=\"file\u{0}\"\r\n\r\nx\r\n--b--\r\n"),
        ("no name", "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("two names", "--b\r\nContent-Disposition: form-data; name=\"file\"; name=\"id\"\r\n\r\nx\r\n--b--\r\n"),
        ("no headers", "--b\r\n\r\nx\r\n--b--\r\n"),
        ("a folded header", "--b\r\n\(disposition);\r\n x=y\r\n\r\nx\r\n--b--\r\n"),
        ("a bare line feed", "--b\n\(disposition)\n\nx\n--b--\n"),
        ("a transfer encoding", "--b\r\n\(disposition)\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--\r\n"),
        ("a second form", "--b\r\n\(disposition)\r\n\r\nx\r\n--b--\r\n--b\r\n\(disposition)\r\n\r\ny\r\n--b--\r\n"),
        ("a huge header", "--b\r\n\(disposition)\r\nX-Y: \(String(repeating: "z", count: 9000))\r\n\r\nx\r\n--b--\r\n"),
        (
            "a header without an end",
            "--b\r\n\(disposition)\(String(repeating: "z", count: 9000))"
        ),
        (
            "many headers",
            "--b\r\n\(disposition)\(String(repeating: "\r\nX: y", count: 40))\r\n\r\nx\r\n--b--\r\n"
        ),
        ("a header without a colon", "--b\r\n\(disposition)\r\nno colon\r\n\r\nx\r\n--b--\r\n"),
        ("an escape sequence in a header", "--b\r\n\(disposition)\r\nX: \u{1B}[31m\r\n\r\nx\r\n--b--\r\n"),
    ]

    @Test("a malformed upload form gets malformed-request, and the detail does not repeat the input", arguments: forms)
    func malformed(_ name: String, _ text: String) {
        let body = Array(text.utf8)
        for chunk in [1, 7, max(1, body.count)] {
            let problem = refusal(body, chunk: chunk)
            #expect(problem?.code == .malformedRequest, "\(name)")
            #expect(problem?.detail?.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } == true)
            #expect(problem?.detail?.contains("ownerId") != true)
        }
    }

    @Test(
        "a hostile file name is accepted and ignored",
        arguments: [
            "../../../etc/passwd", "..\\\\..\\\\windows\\\\system32", "/dev/null", "cat.png%00.html", "a;b=c", "",
            "\u{202E}gnp.exe", "🐇.png", "a\\\"; name=\\\"other", "http://example.org/x", "x\t.png",
            String(repeating: "n", count: 4000),
        ])
    func fileNames(_ name: String) throws {
        let headers = "Content-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\nContent-Type: image/png"
        let file = try read(Self.part(headers, [1, 2, 3]) + Self.end)
        #expect(file == UploadedFile(bytes: [1, 2, 3], contentType: "image/png"))
    }

    @Test("a file name with a line break, a control character or invalid UTF-8 gets malformed-request")
    func brokenFileNames() {
        for name in ["a\r\nX-Evil: 1", "a\nb", "a\u{0}b", "a\u{1B}[2Jb", "a\u{7F}"] {
            let body = Self.part("Content-Disposition: form-data; name=\"file\"; filename=\"\(name)\"", [1]) + Self.end
            #expect(refusal(body)?.code == .malformedRequest)
        }
        let latin1 = Array("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".utf8) + [0xE9]
        #expect(refusal(latin1 + Array("\"\r\n\r\nx\r\n--b--\r\n".utf8))?.code == .malformedRequest)
        let unclosed = Self.part("Content-Disposition: form-data; name=\"file\"; filename=\"cat", [1]) + Self.end
        #expect(refusal(unclosed)?.code == .malformedRequest)
    }

    @Test("a multipart form inside the file is kept as the file's content")
    func nested() throws {
        let inner = Array("--c\r\n\(Self.disposition)\r\n\r\nx\r\n--c--\r\n".utf8)
        let headers = Self.disposition + "\r\nContent-Type: multipart/mixed; boundary=c"
        let file = try read(Self.part(headers, inner) + Self.end)
        #expect(file == UploadedFile(bytes: inner, contentType: "application/octet-stream"))
    }

    @Test(
        "an upload with a missing or invalid boundary is refused before its body is read",
        arguments: [
            ("multipart/form-data", "malformed-request"), ("multipart/form-data; boundary=", "malformed-request"),
            ("multipart/form-data; boundary=\"\"", "malformed-request"),
            ("multipart/form-data; boundary=b; boundary=c", "malformed-request"),
            ("multipart/form-data; boundary=\"a\r\nb\"", "malformed-request"),
            ("multipart/form-data; boundary=\"a b \"", "malformed-request"),
            ("multipart/form-data; boundary=<script>", "malformed-request"),
            ("multipart/form-data; boundary=\(String(repeating: "b", count: 71))", "malformed-request"),
            ("multipart/mixed; boundary=b", "unsupported-media-type"),
            ("multipart/form-datax; boundary=b", "unsupported-media-type"),
            ("image/png", "unsupported-media-type"), ("application/x-www-form-urlencoded", "unsupported-media-type"),
        ])
    func boundaries(_ type: String, _ code: String) {
        #expect(refusal([], type: type)?.code.code == code)
    }

    @Test("an upload gets body-too-large as soon as its file exceeds the limit")
    func tooLarge() throws {
        var form = try UploadForm(contentType: Self.type, limit: 10)
        try form.feed(Array("--b\r\n\(Self.disposition)\r\n\r\n0123456789".utf8))
        // Bytes that may be the beginning of the delimiter do not count as content yet.
        try form.feed(Array("\r\n--".utf8))
        #expect(throws: Problem(.bodyTooLarge)) { try form.feed(Array("x".utf8)) }
    }
}
