import Contracts
import NIOHTTP1
import Testing

@testable import Ingress

@Suite("Request bodies")
struct BodyTests {
    private static let type = "multipart/form-data; boundary=b"

    private func upload(_ text: String, type: String? = BodyTests.type, limit: Int = 100) throws(Problem)
        -> UploadedFile
    {
        var form = try UploadForm(contentType: type, limit: limit)
        for byte in text.utf8 { try form.feed([byte]) }
        return try form.finish()
    }

    private func code(_ text: String, type: String? = BodyTests.type, limit: Int = 100) -> String? {
        do throws(Problem) {
            _ = try upload(text, type: type, limit: limit)
            return nil
        } catch {
            return error.code.code
        }
    }

    private func part(_ name: String, _ content: String, type: String? = nil) -> String {
        let typeLine = type.map { "Content-Type: \($0)\r\n" } ?? ""
        return
            "--b\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"x\"\r\n\(typeLine)\r\n\(content)\r\n"
    }

    @Test(
        "the part named file is accepted; a type other than that of an image becomes application/octet-stream")
    func file() throws {
        let file = try upload(part("file", "bytes", type: "image/png") + "--b--\r\n")
        #expect(file == UploadedFile(bytes: Array("bytes".utf8), contentType: "image/png"))
        for type in [nil, "text/html", "image/svg+xml"] {
            #expect(try upload(part("file", "x", type: type) + "--b--").contentType == "application/octet-stream")
        }
    }

    @Test(
        "a form is malformed if it does not have exactly one file, named file, is truncated, or has no boundary")
    func malformed() {
        #expect(code(part("other", "x") + "--b--") == "malformed-request")
        #expect(code(part("file", "x") + part("file", "y") + "--b--") == "malformed-request")
        #expect(code(part("file", "x") + part("other", "y") + "--b--") == "malformed-request")
        #expect(code("--b--") == "malformed-request")
        #expect(code(part("file", "x")) == "malformed-request")
        #expect(code("") == "malformed-request")
        #expect(code("x", type: "multipart/form-data") == "malformed-request")
    }

    @Test(
        "an empty file gets invalid, a file over the limit body-too-large, another content type unsupported-media-type")
    func refused() {
        #expect(code(part("file", "") + "--b--") == "invalid")
        #expect(code(part("file", String(repeating: "x", count: 101)) + "--b--") == "body-too-large")
        #expect(code(part("file", String(repeating: "x", count: 100)) + "--b--") == nil)
        for type in [nil, "", "application/json", "multipart/mixed; boundary=b"] {
            #expect(code("x", type: type) == "unsupported-media-type")
        }
    }

    @Test(
        "a JSON body is accepted if its Content-Type is application/json, with any parameters except another charset",
        arguments: [
            "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
            "application/json ; charset=\"utf-8\"", "application/json;", "application/json; charset=utf8",
            "application/json; Charset=\"UTF8\"", "application/json; profile=\"x\"", "application/json;v=1",
            "application/json; a=\"b; charset=latin1\"", "application/json; profile=\"a\\\"b\"; charset=utf-8",
            "application/json; v", "application/json; profile=\"\(String(repeating: "x", count: 1000))\"",
        ])
    func jsonTypes(type: String) throws {
        try JSONContentType.check(type)
    }

    @Test(
        "a JSON body with another Content-Type or charset gets unsupported-media-type",
        arguments: [
            nil, "", "text/plain", "application/jsonp", "application/json; charset=latin1", "application/problem+json",
            "application/json; charset=utf-16", "application/json; v=1; charset=\"latin1\"",
            "application/json; charset=",
            "application/json; charset=utf-8; charset=latin1", "application/json; profile=\"x", "; charset=utf-8",
            "application/json, text/html", "application/x-www-form-urlencoded", "text/json",
        ])
    func otherTypes(type: String?) {
        #expect(throws: Problem.self) { try JSONContentType.check(type) }
    }

    @Test(
        "a body whose Content-Encoding lists only identity, or nothing, is accepted; any other gets 415",
        arguments: [
            (nil, true), ("identity", true), ("Identity", true), ("IDENTITY", true), ("", true), (" , ", true),
            ("identity, identity", true), (",identity ,", true), ("gzip", false), ("identity, gzip", false),
            ("gzip,", false), ("identity;q=1", false), ("\"identity", false),
        ])
    func contentEncoding(field: String?, isAccepted: Bool) {
        var headers: HTTPHeaders = ["Content-Type": "application/json"]
        if let field { headers.add(name: "Content-Encoding", value: field) }
        let reservation = ByteReservation(in: ByteBudget(100, of: .requestBodies), for: [])
        var code: ProblemCode?
        do throws(Problem) {
            _ = try JSONBody(RequestFields(headers), limit: 100, reservation)
        } catch {
            code = error.code
        }
        #expect(code == (isAccepted ? nil : .unsupportedMediaType))
    }

    @Test("a request with two Authorization, Content-Type or Idempotency-Key fields counts as ambiguous")
    func ambiguous() {
        for name in ["Authorization", "Content-Type", "Idempotency-Key"] {
            #expect(!RequestFields(HTTPHeaders([(name, "a")])).isAmbiguous)
            #expect(RequestFields(HTTPHeaders([(name, "a"), (name, "a")])).isAmbiguous)
        }
    }
}
