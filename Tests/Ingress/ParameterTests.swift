import Contracts
import Testing

@testable import Ingress

@Suite("Parameters as JSON")
struct ParameterTests {
    private func json(_ query: String, of message: MessageDescriptor = Messages.Post.list.descriptor) throws -> String {
        let parameters = try #require(Query.parse(query[...]))
        return String(decoding: try parameters.json(ParameterTypes(message.request)), as: UTF8.self)
    }

    @Test(
        "numbers become numbers where the message wants them, all else stays text",
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

    @Test("every number of every message with parameters is known to be one")
    func everyMessage() throws {
        let search = try json("query=5&limit=5&page=5", of: Messages.Search.posts.descriptor)
        #expect(search == #"{"query":"5","limit":5,"page":5}"#)
        #expect(try json("limit=5&page=6", of: Messages.Media.list.descriptor) == #"{"limit":5,"page":6}"#)
    }

    @Test("a name that comes twice is refused", arguments: ["limit=1&limit=1", "a=1&%61=2"])
    func duplicates(query: String) throws {
        let parameters = try #require(Query.parse(query[...]))
        #expect(throws: Problem(.malformedRequest, detail: "A parameter is given twice.")) {
            try parameters.json(ParameterTypes(nil))
        }
    }

    @Test(
        "a query that is no percent-encoded UTF-8 is refused", arguments: ["a=%", "%zz=1", "a=%C3%28", "a=%ED%A0%80"])
    func malformed(query: String) {
        #expect(Query.parse(query[...]) == nil)
    }
}
