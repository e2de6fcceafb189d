import Multipart
import Testing

@Suite("Malformed multipart bodies")
struct MultipartErrorTests {
    static let name = "Content-Disposition: form-data; name=a"

    /// Malformed bodies and the error for each of them. `B` stands for the boundary.
    static let bodies: [(String, MultipartError)] = [
        ("preamble", .noOpeningBoundary),
        ("preamble--B\r\n", .noOpeningBoundary),
        ("preamble\n--B\r\n", .noOpeningBoundary),
        (String(repeating: "p", count: 4097) + "\r\n--B--", .noOpeningBoundary),
        ("--X\r\n", .noOpeningBoundary),
        ("--B\n", .malformedBoundaryLine),
        ("--B \r\n", .malformedBoundaryLine),
        ("--Bx\r\n", .malformedBoundaryLine),
        ("--B\rx", .malformedBoundaryLine),
        ("--B-x", .malformedBoundaryLine),
        ("--B\r\n\(name)\n\r\n", .bareLineBreak),
        ("--B\r\n\(name)\rx", .bareLineBreak),
        ("--B\r\n\r\n", .missingDisposition),
        ("--B\r\nContent-Type: text/plain\r\n\r\n", .missingDisposition),
        ("--B\r\nContent-Disposition: attachment; name=a\r\n\r\n", .missingDisposition),
        ("--B\r\nContent-Disposition: form-data\r\n\r\n", .missingName),
        ("--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n", .missingName),
        ("--B\r\nContent-Disposition: form-data; filename=a\r\n\r\n", .missingName),
        ("--B\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n", .malformedDisposition),
        ("--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\n", .malformedDisposition),
        ("--B\r\nContent-Disposition: form-data name=a\r\n\r\n", .malformedDisposition),
        ("--B\r\n\(name)\r\n\(name)\r\n\r\n", .malformedDisposition),
        ("--B\r\n\(name)\r\nContent-Type: a/b\r\nContent-Type: a/c\r\n\r\n", .malformedPartHeader),
        ("--B\r\n\(name);\r\n filename=b\r\n\r\n", .malformedPartHeader),
        ("--B\r\nContent-Disposition : form-data; name=a\r\n\r\n", .malformedPartHeader),
        ("--B\r\nno colon\r\n\r\n", .malformedPartHeader),
        ("--B\r\n: empty name\r\n\r\n", .malformedPartHeader),
        ("--B\r\n\(name)\u{0}\r\n\r\n", .malformedPartHeader),
        ("--B\r\n\(name)\r\nContent-Transfer-Encoding: base64\r\n\r\n", .unsupportedTransferEncoding),
        ("--B\r\n\(name)\r\n\r\nx\r\n--Bx", .malformedBoundaryLine),
        ("--B\r\n\(name)\r\n\r\nx\r\n--B\n", .malformedBoundaryLine),
        ("--B--\r\n--B\r\n", .bytesAfterEnd),
        ("--B--\r\nepilogue\r\n--B--", .bytesAfterEnd),
        ("--B--\r\n" + String(repeating: "e", count: 4097), .bytesAfterEnd),
        ("preamble\r\n--B--\r\n" + String(repeating: "e", count: 4089), .bytesAfterEnd),
        ("--B--x", .bytesAfterEnd),
        ("--B--\rx", .bytesAfterEnd),
    ]

    @Test("a malformed multipart body is refused with the same error for every chunk size", arguments: bodies)
    func errors(_ body: String, _ error: MultipartError) throws {
        let bytes = Array(body.replacing("B", with: SampleForm.boundary).utf8)
        for chunk in 1...bytes.count {
            #expect(throws: error) { try SampleForm.events(of: bytes, chunk: chunk) }
        }
    }

    @Test("after an error the multipart parser throws the same error again")
    func errorsPersist() throws {
        var parser = try SampleForm.parser()
        let body = Array("--\(SampleForm.boundary)x".utf8)
        #expect(throws: MultipartError.malformedBoundaryLine) { try parser.feed(body) }
        #expect(throws: MultipartError.malformedBoundaryLine) { try parser.feed(SampleForm.body) }
        #expect(throws: MultipartError.malformedBoundaryLine) { try parser.finish() }
    }

    @Test("a part header that is not UTF-8 is refused as malformed")
    func notUTF8() throws {
        let body = Array("--\(SampleForm.boundary)\r\n\(Self.name)".utf8) + [0xFF, 13, 10]
        #expect(throws: MultipartError.malformedPartHeader) { try SampleForm.events(of: body) }
    }

    @Test("a multipart body that reaches a limit is accepted, and one that exceeds it by one is refused")
    func limits() throws {
        let end = Array("--\(SampleForm.boundary)--".utf8)
        let part = SampleForm.part(Self.name, [1, 2, 3])
        let fields = (1...16).map { "\r\nX-\($0): y" }.joined()
        func check(_ body: [UInt8], _ limits: MultipartLimits, _ error: MultipartError?) throws {
            for chunk in [1, 7, body.count] {
                guard let error else {
                    _ = try SampleForm.events(of: body, chunk: chunk, limits: limits)
                    continue
                }
                #expect(throws: error) { try SampleForm.events(of: body, chunk: chunk, limits: limits) }
            }
        }
        try check(part + part + end, MultipartLimits(bodyBytes: 6), nil)
        try check(part + part + end, MultipartLimits(bodyBytes: 5), .bodyTooLarge)
        try check(part + part + end, MultipartLimits(bodyBytes: 6, parts: 2), nil)
        try check(part + part + end, MultipartLimits(bodyBytes: 6, parts: 1), .tooManyParts)
        try check(SampleForm.part(Self.name + fields, []) + end, MultipartLimits(bodyBytes: 0, headerLines: 17), nil)
        try check(SampleForm.part(Self.name + fields, []) + end, MultipartLimits(bodyBytes: 0), .tooManyPartHeaders)
        let bytes = Self.name.utf8.count + 4
        try check(SampleForm.part(Self.name, []) + end, MultipartLimits(bodyBytes: 0, headerBytes: bytes), nil)
        try check(
            SampleForm.part(Self.name, []) + end, MultipartLimits(bodyBytes: 0, headerBytes: bytes - 1),
            .partHeadersTooLarge)
    }

    @Test("each multipart error has a different reason")
    func reasons() {
        #expect(Set(MultipartError.allCases.map(\.reason)).count == MultipartError.allCases.count)
    }
}
