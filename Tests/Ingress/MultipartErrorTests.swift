import Multipart
import Testing

@Suite("A faulty multipart body")
struct MultipartFaultTests {
    static let name = "Content-Disposition: form-data; name=a"

    /// A body, with its fault; `B` stands for the boundary.
    static let bodies: [(String, MultipartFault)] = [
        ("preamble\r\n--B\r\n", .noOpeningBoundary),
        ("\r\n--B\r\n", .noOpeningBoundary),
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
        ("--B--\r\nepilogue", .bytesAfterEnd),
        ("--B--x", .bytesAfterEnd),
        ("--B--\r\n\r\n", .bytesAfterEnd),
        ("--B--\rx", .bytesAfterEnd),
    ]

    @Test("is refused with its own fault, at every chunk size", arguments: bodies)
    func faults(_ body: String, _ fault: MultipartFault) throws {
        let bytes = Array(body.replacing("B", with: Sample.boundary).utf8)
        for chunk in 1...bytes.count {
            #expect(throws: fault) { try Sample.events(of: bytes, chunk: chunk) }
        }
    }

    @Test("keeps throwing its first fault")
    func faultsStick() throws {
        var parser = try Sample.parser()
        #expect(throws: MultipartFault.noOpeningBoundary) { try parser.feed([1]) }
        #expect(throws: MultipartFault.noOpeningBoundary) { try parser.feed(Sample.body) }
        #expect(throws: MultipartFault.noOpeningBoundary) { try parser.finish() }
    }

    @Test("is refused where a name is not UTF-8")
    func notUTF8() throws {
        let body = Array("--\(Sample.boundary)\r\n\(Self.name)".utf8) + [0xFF, 13, 10]
        #expect(throws: MultipartFault.malformedPartHeader) { try Sample.events(of: body) }
    }

    @Test("is refused past each of its limits, and accepted at it")
    func limits() throws {
        let end = Array("--\(Sample.boundary)--".utf8)
        let part = Sample.part(Self.name, [1, 2, 3])
        let fields = (1...16).map { "\r\nX-\($0): y" }.joined()
        func check(_ body: [UInt8], _ limits: MultipartLimits, _ fault: MultipartFault?) throws {
            for chunk in [1, 7, body.count] {
                guard let fault else {
                    _ = try Sample.events(of: body, chunk: chunk, limits: limits)
                    continue
                }
                #expect(throws: fault) { try Sample.events(of: body, chunk: chunk, limits: limits) }
            }
        }
        try check(part + part + end, MultipartLimits(bodyBytes: 6), nil)
        try check(part + part + end, MultipartLimits(bodyBytes: 5), .bodyTooLarge)
        try check(part + part + end, MultipartLimits(bodyBytes: 6, parts: 2), nil)
        try check(part + part + end, MultipartLimits(bodyBytes: 6, parts: 1), .tooManyParts)
        try check(Sample.part(Self.name + fields, []) + end, MultipartLimits(bodyBytes: 0, headerLines: 17), nil)
        try check(Sample.part(Self.name + fields, []) + end, MultipartLimits(bodyBytes: 0), .tooManyPartHeaders)
        let bytes = Self.name.utf8.count + 4
        try check(Sample.part(Self.name, []) + end, MultipartLimits(bodyBytes: 0, headerBytes: bytes), nil)
        try check(
            Sample.part(Self.name, []) + end, MultipartLimits(bodyBytes: 0, headerBytes: bytes - 1),
            .partHeadersTooLarge)
    }

    @Test("has a code of its own and a sentence for each fault")
    func reasons() {
        #expect(Set(MultipartFault.allCases.map(\.reason)).count == MultipartFault.allCases.count)
    }
}
