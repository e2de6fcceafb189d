import Contracts
import FoundationEssentials
import Testing

@Suite("Schemas of objects and arrays")
struct SchemaTests {
    private struct Basket: SchemaCodable, Hashable {
        struct Item: SchemaCodable, Hashable {
            let sku: String
            let count: Int
            static let schema = Schema<Item>.object(
                "Item", field("sku", \.sku, .string(1...8)), field("count", \.count, .integer(1...9)), make: Item.init)
        }

        enum Colour: String, CaseIterable { case red, green }

        let items: [Item]
        let colour: Colour
        let note: String?
        let gift: Int?
        let ids: [UUID]

        static let schema = Schema<Basket>.object(
            "Basket",
            field("items", \.items, .array(of: Item.schema, max: 60)),
            field("colour", \.colour, .oneOf(), default: .green),
            optionalField("note", \.note, Schema<String>.string(1...10).notBlank),
            field("gift", \.gift, Schema<Int>.integer(0...).nullable),
            field("ids", \.ids, .array(of: .uuid, unique: true), default: []),
            make: Basket.init)
    }

    private func decode(_ text: String) throws -> Basket {
        try Basket.schema.decode(try JSON.parse(Array(text.utf8)))
    }

    private func faults(_ text: String) throws -> [String] {
        do {
            _ = try decode(text)
            return []
        } catch let invalid as ValidationError {
            return invalid.faults.map { "\($0.pointer) \($0.message)" }.sorted()
        }
    }

    @Test("an absent optional member is decoded as its default, or as nil")
    func defaults() throws {
        let basket = try decode(#"{"items":[{"sku":"a","count":2}],"gift":null}"#)
        #expect(basket == Basket(items: [.init(sku: "a", count: 2)], colour: .green, note: nil, gift: nil, ids: []))
    }

    @Test("a decoded object is encoded to the same text")
    func roundTrip() throws {
        let text =
            #"{"items":[{"sku":"a","count":2}],"colour":"red","note":"n","gift":1,"ids":["0190a0b0-1234-7abc-8def-0123456789ab"]}"#
        #expect(String(decoding: try decode(text).jsonBytes(), as: UTF8.self) == text)
    }

    @Test("a schema reports all faults at once, each with its pointer")
    func allAtOnce() throws {
        let found = try faults(
            #"""
            {"items":[{"sku":"","count":0},7,{"sku":"123456789","count":1.5,"x/y~z":1}],"colour":"blue",
            "note":"   ","ids":["0190A0B0-1234-7abc-8def-0123456789ab","nope"],"a/b":1}
            """#)
        #expect(
            found == [
                "/a~1b is not a known field",
                "/colour must be one of red, green",
                "/gift is required",
                "/ids/1 must be a UUID",
                "/items/0/count must be from 1 to 9",
                "/items/0/sku must have 1 to 8 characters",
                "/items/1 must be an object",
                "/items/2/count must be an integer",
                "/items/2/sku must have 1 to 8 characters",
                "/items/2/x~1y~0z is not a known field",
                "/note must not be blank",
            ])
    }

    @Test("a repeated UUID in an array is a fault at each repetition, also if it differs in letter case")
    func unique() throws {
        let id = "0190a0b0-1234-7abc-8def-0123456789ab"
        let found = try faults(#"{"items":[],"gift":null,"ids":["\#(id)","\#(id.uppercased())","\#(id)"]}"#)
        #expect(found == ["/ids/1 must not repeat an earlier element", "/ids/2 must not repeat an earlier element"])
    }

    @Test("a schema reports at most fifty faults")
    func bounded() throws {
        let items = Array(repeating: "{}", count: 60).joined(separator: ",")
        #expect(try faults(#"{"items":[\#(items)]}"#).count == 50)
        let unknown = (0..<500).map { "\"x\($0)\":1" }.joined(separator: ",")
        #expect(try faults("{\(unknown)}").count == 50)
    }

    @Test("an array that is too long is reported as one fault")
    func tooMany() throws {
        let items = Array(repeating: "1", count: 61).joined(separator: ",")
        #expect(try faults(#"{"items":[\#(items)],"gift":null}"#) == ["/items must have at most 60 elements"])
    }

    @Test(
        "a document that is not an object is reported as one fault with an empty pointer",
        arguments: ["null", "[]", "1", #""a""#])
    func notAnObject(text: String) throws {
        #expect(try faults(text) == [" must be an object"])
    }

    @Test("null is not treated as an absent member")
    func null() throws {
        #expect(
            try faults(#"{"items":null,"colour":null,"note":null,"gift":null,"ids":null}"#) == [
                "/colour must be one of red, green", "/ids must be an array", "/items must be an array",
                "/note must be a string",
            ])
    }
}
