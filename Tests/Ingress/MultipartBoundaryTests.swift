import Multipart
import Testing

@Suite("The multipart boundary")
struct MultipartBoundaryTests {
    static let accepted: [(String, String)] = [
        ("multipart/form-data; boundary=abc", "abc"),
        ("Multipart/Form-Data;BOUNDARY=abc", "abc"),
        ("multipart/form-data ;\tboundary=abc ; charset=utf-8", "abc"),
        ("multipart/form-data; charset=utf-8; boundary=\"abc\"", "abc"),
        (
            "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
            "----WebKitFormBoundary7MA4YWxkTrZu0gW"
        ),
        ("multipart/form-data; boundary=\"===============12 34==\"", "===============12 34=="),
        ("multipart/form-data; boundary=a=b/c:d", "a=b/c:d"),
        ("multipart/form-data; boundary=\"'()+_,-./:=? x\"", "'()+_,-./:=? x"),
        ("multipart/form-data; boundary=abc;", "abc"),
        ("multipart/form-data; boundary=\(String(repeating: "a", count: 70))", String(repeating: "a", count: 70)),
    ]

    static let refused: [(String, MultipartError)] = [
        ("", .notMultipart),
        ("application/json", .notMultipart),
        ("multipart/mixed; boundary=abc", .notMultipart),
        ("multipart/form-data", .missingBoundary),
        ("multipart/form-data; charset=utf-8", .missingBoundary),
        ("multipart/form-data; boundary=", .invalidBoundary),
        ("multipart/form-data; boundary=\"\"", .invalidBoundary),
        ("multipart/form-data; boundary=\"abc \"", .invalidBoundary),
        ("multipart/form-data; boundary=\"a\u{0}b\"", .invalidBoundary),
        ("multipart/form-data; boundary=\"a\r\nb\"", .invalidBoundary),
        ("multipart/form-data; boundary=\"aéb\"", .invalidBoundary),
        ("multipart/form-data; boundary=a&b", .invalidBoundary),
        ("multipart/form-data; boundary=\(String(repeating: "a", count: 71))", .invalidBoundary),
        ("multipart/form-data; boundary=a; boundary=b", .duplicateBoundary),
        ("multipart/form-data; boundary=a; Boundary=a", .duplicateBoundary),
        ("multipart/form-data; boundary=a, multipart/form-data; boundary=b", .malformedContentType),
        ("multipart/form-data; boundary=\"abc", .malformedContentType),
        ("multipart/form-data; boundary", .malformedContentType),
        ("multipart/form-data; boundary=a b", .malformedContentType),
    ]

    @Test("the boundary is parsed from the Content-Type, quoted or unquoted", arguments: accepted)
    func accepts(_ contentType: String, _ boundary: String) throws {
        #expect(try MultipartBoundary(contentType: contentType).bytes == Array(boundary.utf8))
    }

    @Test("a Content-Type without exactly one valid multipart boundary is refused", arguments: refused)
    func refuses(_ contentType: String, _ error: MultipartError) {
        #expect(throws: error) { try MultipartBoundary(contentType: contentType) }
    }
}
