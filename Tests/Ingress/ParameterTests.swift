import Contracts
import Testing

@testable import Ingress

@Suite("Request parameters as JSON")
struct ParameterTests {
    private func json(_ query: String, of message: MessageDescriptor = Messages.Post.list.descriptor) throws -> String {
        let parameters = try QueryString.parse(query[...])
        return String(decoding: try parameters.json(ParameterTypes(message.request)), as: UTF8.self)
    }

    @Test(
        "a parameter becomes an integer if its type in the message is integer and its value is one, otherwise a string",
        arguments: [
            ("", "{}"), ("limit=5&page=2", #"{"limit":5,"page":2}"#), ("cursor=12", #"{"cursor":"12"}"#),
            ("limit=-1", #"{"limit":-1}"#), ("limit=9223372036854775807", #"{"limit":9223372036854775807}"#),
            ("limit=9223372036854775808", #"{"limit":"9223372036854775808"}"#),
            ("limit=05", #"{"limit":"05"}"#), ("limit=+5", #"{"limit":" 5"}"#), ("limit=1.5", #"{"limit":"1.5"}"#),
            ("limit=", #"{"limit":""}"#), ("limit", #"{"limit":""}"#), ("limit=1e2", #"{"limit":"1e2"}"#),
            ("unknown=1", #"{"unknown":"1"}"#), ("&&limit=5&", #"{"limit":5}"#), ("a=b=c", #"{"a":"b=c"}"#),
            ("=x", #"{"":"x"}"#), ("a%26b=c%3Dd+e%2B", #"{"a&b":"c=d e+"}"#), ("q=%22%0A", #"{"q":"\"\n"}"#),
        ])
    func typed(query: String, expected: String) throws {
        #expect(try json(query) == expected)
    }

    @Test("limit and page become integers in search.posts and media.list")
    func everyMessage() throws {
        let search = try json("query=5&limit=5&page=5", of: Messages.Search.posts.descriptor)
        #expect(search == #"{"query":"5","limit":5,"page":5}"#)
        #expect(try json("limit=5&page=6", of: Messages.Media.list.descriptor) == #"{"limit":5,"page":6}"#)
    }

    @Test(
        "parameters of the path become members at the end of a JSON object, which is not decoded and can have a BOM",
        arguments: [
            ("{}", #"{"id":"a\"b"}"#), (" {\n} ", " {\n\"id\":\"a\\\"b\"}"), (#"{"x":1}"#, #"{"x":1,"id":"a\"b"}"#),
            (#"{"x":{}}"#, #"{"x":{},"id":"a\"b"}"#), (#"{"x" : "}" }"#, #"{"x" : "}" ,"id":"a\"b"}"#),
            (#"{"id":"c"}"#, #"{"id":"c","id":"a\"b"}"#),
            ("\u{FEFF}{}", "\u{FEFF}{\"id\":\"a\\\"b\"}"),
            ("\u{FEFF} {\"x\":1}", "\u{FEFF} {\"x\":1,\"id\":\"a\\\"b\"}"),
            ("", ""), ("[]", "[]"), ("{", "{"), ("}", "}"), ("null", "null"), ("{} x", "{} x"), ("{}]", "{}]"),
            ("\u{FEFF}", "\u{FEFF}"), ("\u{FEFF}\u{FEFF}{}", "\u{FEFF}\u{FEFF}{}"), (" \u{FEFF}{}", " \u{FEFF}{}"),
        ])
    func members(body: String, expected: String) throws {
        let members = AddedMembers(
            parameters: [Parameter(name: "id", value: "a\"b")], types: ParameterTypes(nil), entityTags: nil)
        #expect(String(decoding: try members.added(to: Array(body.utf8)), as: UTF8.self) == expected)
    }

    @Test("the field for entity tags is added to the body of a message that has it, as null if every tag is allowed")
    func entityTags() throws {
        func body(_ parameters: [Parameter], _ tags: [String]?, of message: MessageDescriptor) throws -> String {
            let members = AddedMembers(
                parameters: parameters, types: ParameterTypes(message.request), entityTags: tags)
            return String(decoding: try members.added(to: Array("{}".utf8)), as: UTF8.self)
        }
        let (update, create) = (Messages.Media.update.descriptor, Messages.Post.create.descriptor)
        let id = Parameter(name: "id", value: "1")
        #expect(try body([id], ["\"a\""], of: update) == #"{"id":"1","ifMatch":["\"a\""]}"#)
        #expect(try body([id], nil, of: update) == #"{"id":"1","ifMatch":null}"#)
        #expect(try body([], nil, of: update) == #"{"ifMatch":null}"#)
        #expect(try body([id], nil, of: create) == #"{"id":"1"}"#)
    }

    @Test("a parameter that occurs twice gets malformed-request", arguments: ["limit=1&limit=1", "a=1&%61=2"])
    func duplicates(query: String) throws {
        let parameters = try QueryString.parse(query[...])
        #expect(throws: Problem(.malformedRequest, detail: "Each parameter must occur at most once.")) {
            try parameters.json(ParameterTypes(nil))
        }
    }

    @Test(
        "a query that is not percent-encoded UTF-8 gets malformed-request",
        arguments: ["a=%", "%zz=1", "a=%C3%28", "a=%ED%A0%80"])
    func malformed(query: String) {
        let problem = Problem(.malformedRequest, detail: "The query must be percent-encoded UTF-8.")
        #expect(throws: problem) { try QueryString.parse(query[...]) }
    }

    @Test("a query with more parameters than the limit gets malformed-request")
    func tooMany() throws {
        let parts = (0..<5000).map { "p\($0)=" }
        let allowed = parts.prefix(QueryString.maximumCount).joined(separator: "&")
        #expect(try QueryString.parse(allowed[...]).count == QueryString.maximumCount)
        for count in [QueryString.maximumCount + 1, parts.count] {
            let query = parts.prefix(count).joined(separator: "&")
            #expect(throws: Problem.self) { try QueryString.parse(query[...]) }
        }
    }

    @Test("no operation has more parameters than a query may have")
    func limit() {
        for message in Messages.descriptors {
            guard case .object(let object) = message.request else { continue }
            #expect(object.fields.count <= QueryString.maximumCount, "\(message.name)")
        }
    }
}
