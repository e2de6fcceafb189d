import Contracts
import TestData
import TestSupport

/// Changes valid documents into documents that are nearly valid. The same seed gives the same documents.
struct Mutator {
    var random: SeededGenerator

    /// Returns the document with one to three changes at random positions.
    mutating func mutated(_ json: JSON) -> JSON {
        var json = json
        for _ in 0..<Int.random(in: 1...3, using: &random) { json = changed(json) }
        return json
    }

    private mutating func changed(_ json: JSON) -> JSON {
        if Int.random(in: 0..<12, using: &random) == 0 { return pick(Self.hostile) }
        switch json {
        case .object(let object): return changed(object)
        case .array(let elements): return changed(elements)
        case .string(let text): return changed(text)
        case .integer(let number):
            return pick([
                .integer(number &+ 1), .integer(0 &- number), .double(Double(number)), .double(Double(number) + 0.5),
                .string(String(number)), .integer(number &* 1000), pick(Self.hostile),
            ])
        case .double, .bool, .null: return pick(Self.hostile)
        }
    }

    private mutating func changed(_ object: JSONObject) -> JSON {
        var members = object.members
        guard !members.isEmpty else { return .object(JSONObject([.init(name: "extra", value: pick(Self.hostile))])) }
        let index = Int.random(in: 0..<members.count, using: &random)
        let member = members[index]
        switch Int.random(in: 0..<8, using: &random) {
        case 0: members.remove(at: index)
        case 1:
            let names = ["admin", "", "__proto__", "\u{0}", member.name.uppercased(), "page", "cursor", "limit"]
            let name = pick(names)
            guard !members.contains(where: { $0.name == name }) else { break }
            members.append(.init(name: name, value: pick(Self.hostile)))
        default: members[index] = .init(name: member.name, value: changed(member.value))
        }
        return .object(JSONObject(members))
    }

    private mutating func changed(_ elements: [JSON]) -> JSON {
        guard let element = elements.first else { return [pick(Self.hostile)] }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return []
        case 1: return .array(elements + [element])
        case 2: return .array(elements + [element.string.map { .string($0.uppercased()) } ?? element])
        case 3: return .array(Array(repeating: element, count: 11))
        default: return .array([changed(element)] + elements.dropFirst())
        }
    }

    private mutating func changed(_ text: String) -> JSON {
        let mark = pick(Self.marks)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .string(text + mark)
        case 1: return .string(mark + text)
        case 2: return .string(String(text.dropLast()))
        case 3: return .string(text.uppercased())
        case 4:
            return .string(String(repeating: mark, count: pick([2, 3, 7, 8, 50, 51, 128, 129, 200, 201, 512, 513])))
        case 5:
            var scalars = Array(text.unicodeScalars)
            guard !scalars.isEmpty, let scalar = mark.unicodeScalars.first else { return .string(mark) }
            scalars[Int.random(in: 0..<scalars.count, using: &random)] = scalar
            return .string(String(String.UnicodeScalarView(scalars)))
        default: return pick(Self.hostile)
        }
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private static let marks = [
        "a", "A", "0", " ", "\n", "\r\n", "\t", "\u{0}", "\u{1c}", "\u{85}", "\u{a0}", "\u{feff}", "\u{2028}", "é",
        "e\u{301}", "😀", "👨‍👩‍👧", "\u{212a}", "٣", "@", ".", "-", "..", "=", "/", "\\", "\"", "\u{202e}", "z",
    ]

    private static let hostile: [JSON] = [
        nil, true, false, 0, 1, -1, 10, 100, 101, 1_000_000, 1_000_001, .integer(.max), .integer(.min), 10.0, 1.5, -0.0,
        1e19, 9.223372036854775807e18, 1e308, 1e-300, "", " ", "\n\t", "\u{0}", "\u{85}\u{feff}", "a", "1", "null", [],
        [nil], [[]], [:], ["id": "x"], ["a": ["b": ["c": []]]], "0190a0b0-1234-7abc-8def-0123456789ab",
        "0190A0B0-1234-7ABC-8DEF-0123456789AB", "{0190a0b0-1234-7abc-8def-0123456789ab}",
        "0190a0b012347abc8def0123456789ab", "0190a0b0-1234-7abc-8def-0123456789ab\n",
        "0190a0b0-1234-7abc-8def-0123456789ag", "2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2024-04-31T00:00:00Z",
        "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2016-12-31T23:59:60Z", "2024-01-01t00:00:00z",
        "2024-01-01 00:00:00Z", "2024-01-01T00:00:00+23:59", "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890123456789012345678901234567890123Z", "2024-01-01T00:00:00Z\n",
        "٢٠٢٤-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z", "a@b.c", "a@b.c\n", "a..b@c.d", ".a@b.c", "a@b", "a@-b.c", "a@b-.c", "é@b.c",
        .string(String(repeating: "a", count: 64) + "@b.c"), .string(String(repeating: "a", count: 65) + "@b.c"),
        .string("a@" + String(repeating: "b", count: 63) + ".c"),
        .string("a@" + String(repeating: "b", count: 64) + ".c"),
        .string("a@" + String(repeating: "b.", count: 125) + "c"),
        .string("a@" + String(repeating: "b.", count: 126) + "c"),
        .string(String(repeating: "😀", count: 5000)), .string(String(repeating: "é", count: 5001)),
        .string(String(repeating: "e\u{301}", count: 2500)), .string(String(repeating: " ", count: 5000)), "done",
        "accepted", "Done", "Bearer", "bearer", "1.0", "post.created", "/warren/post",
    ]
}
