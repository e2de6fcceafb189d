import Contracts
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    @Test(
        "the JSON parser accepts every kind of value of RFC 8259",
        arguments: [
            ("null", nil), (" true ", true), ("\t\r\nfalse\n", false), ("0", 0), ("-0", 0), ("-1", -1),
            ("9223372036854775807", 9_223_372_036_854_775_807), ("-9223372036854775808", -9_223_372_036_854_775_808),
            ("9223372036854775808", 9_223_372_036_854_775_808.0),
            ("-9223372036854775809", -9_223_372_036_854_775_809.0),
            ("1.5", 1.5), ("1e3", 1000.0), ("1E+3", 1000.0), ("25e-1", 2.5), ("-0.0", -0.0), ("1e-999", 0.0),
            (#""""#, ""), (#""a""#, "a"), (#""sixteen bytes and more""#, "sixteen bytes and more"),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\u20AC\uD83D\uDE00""#, "é€😀"),
            (#""é€😀""#, "é€😀"),
            (#""\u0000""#, "\u{0}"), (#""\uFFFF\uE000""#, "\u{FFFF}\u{E000}"), ("\"\u{7f}\u{2028}\"", "\u{7f}\u{2028}"),
            (#""plain text then \n and plain text again""#, "plain text then \n and plain text again"),
            ("[]", []), ("[ ]", []), ("[1,[2,[]]]", [1, [2, []]]), ("{}", [:]), ("{ }", [:]),
            (#"{"a":1,"b":{"c":[true]}}"#, ["a": 1, "b": ["c": [true]]]),
            (#"{"":0," ":1}"#, ["": 0, " ": 1]), (#"{"\u00e9":1,"e\u0301":2}"#, ["\u{e9}": 1, "e\u{301}": 2]),
        ] as [(String, JSON)])
    func accepts(text: String, value: JSON) throws {
        #expect(try JSON.parse(Array(text.utf8)) == value)
    }

    @Test("the JSON parser skips one UTF-8 byte order mark at the beginning, and counts it in the offset of a fault")
    func byteOrderMark() throws {
        #expect(try JSON.parse(Array("\u{FEFF} {\"a\":1}".utf8)) == ["a": 1])
        #expect(try JSON.parse(Array("\"\u{FEFF}\"".utf8)) == "\u{FEFF}")
        for text in ["\u{FEFF}\u{FEFF}1", "\u{FEFF}x"] { expectFault(Array(text.utf8), .unexpectedByte, 3) }
        for (text, offset) in [(" \u{FEFF}1", 1), ("[\u{FEFF}]", 1)] {
            expectFault(Array(text.utf8), .unexpectedByte, offset)
        }
        expectFault(Array("1\u{FEFF}".utf8), .trailingBytes, 1)
        for bytes in [[0xEF, 0xBB, 0x31], [0xFE, 0xFF, 0x00, 0x31]] as [[UInt8]] {
            expectFault(bytes, .unexpectedByte, 0)
        }
    }

    @Test(
        "the JSON parser throws the reason and the offset of the first fault of a malformed document",
        arguments: [
            ("", .endOfInput, 0), ("  ", .endOfInput, 2), ("\u{FEFF}", .endOfInput, 3), ("nul", .endOfInput, 3),
            ("nulL", .unexpectedByte, 3), ("True", .unexpectedByte, 0), ("1 2", .trailingBytes, 2),
            ("{}}", .trailingBytes, 2), ("null\u{0}", .trailingBytes, 4), ("nullnull", .trailingBytes, 4),
            ("[", .endOfInput, 1), ("[1", .endOfInput, 2), ("[1,", .endOfInput, 3), ("[1,]", .unexpectedByte, 3),
            ("[,1]", .unexpectedByte, 1), ("[1 2]", .unexpectedByte, 3), ("[1}", .unexpectedByte, 2),
            ("]", .unexpectedByte, 0),
            ("{", .endOfInput, 1), (#"{"a""#, .endOfInput, 4), (#"{"a" 1}"#, .unexpectedByte, 5),
            (#"{"a":}"#, .unexpectedByte, 5), (#"{"a":1,}"#, .unexpectedByte, 7), ("{a:1}", .unexpectedByte, 1),
            ("{1:1}", .unexpectedByte, 1), (#"{"a":1 "b":2}"#, .unexpectedByte, 7), (#"{"a":1]"#, .unexpectedByte, 6),
            (#"{"a":1,"a":2}"#, .duplicateName, 7), (#"{"a":1,"\u0061":2}"#, .duplicateName, 7),
            (#"{"x":{"a":1,"b":2,"a":3}}"#, .duplicateName, 18),
            ("01", .invalidNumber, 0), ("-01", .invalidNumber, 1), ("-", .endOfInput, 1), ("-a", .invalidNumber, 1),
            ("+1", .unexpectedByte, 0), (".5", .unexpectedByte, 0), ("1.", .endOfInput, 2), ("1.e1", .invalidNumber, 2),
            ("1e", .endOfInput, 2), ("1e+", .endOfInput, 3), ("[1ex]", .invalidNumber, 3), ("0x10", .trailingBytes, 1),
            ("1e999", .numberOutOfRange, 0), ("-1e999", .numberOutOfRange, 0), ("NaN", .unexpectedByte, 0),
            ("Infinity", .unexpectedByte, 0), ("'a'", .unexpectedByte, 0), ("/**/1", .unexpectedByte, 0),
            (#"""#, .endOfInput, 1), (#""abc"#, .endOfInput, 4), (#""\"#, .endOfInput, 2),
            (#""\x""#, .invalidEscape, 2),
            (#""\u12"#, .endOfInput, 5), (#""\u12G4""#, .invalidEscape, 5), ("\"a\nb\"", .controlCharacter, 2),
            ("\"0123456789\u{1f}\"", .controlCharacter, 11), ("\"\u{0}\"", .controlCharacter, 1),
            (#""\uD800""#, .loneSurrogate, 1), (#""\uDC00""#, .loneSurrogate, 1), (#""a\uD83Dx""#, .loneSurrogate, 2),
            (#""\uD83D\n""#, .loneSurrogate, 1), (#""\uD83D\uD83D""#, .loneSurrogate, 1),
            (#""\uDE00\uD83D""#, .loneSurrogate, 1),
        ] as [(String, JSONFault.Reason, Int)])
    func refuses(text: String, reason: JSONFault.Reason, offset: Int) {
        expectFault(Array(text.utf8), reason, offset)
    }

    @Test(
        "the JSON parser throws .invalidUTF8 for invalid UTF-8 in names and values, with and without escapes",
        arguments: [
            ([0x80], 0), ([0x61, 0xFF], 1), ([0xC0, 0xAF], 0), ([0xE0, 0x80, 0xAF], 0), ([0xED, 0xA0, 0x80], 0),
            ([0xF4, 0x90, 0x80, 0x80], 0), ([0xF8, 0x88, 0x80, 0x80, 0x80], 0), ([0xE2, 0x82], 0),
            ([0x61, 0x62, 0xC3], 2),
        ] as [([UInt8], Int)])
    func refusesInvalidUTF8(text: [UInt8], offset: Int) {
        let quoted = [0x22] + text + [0x22]
        expectFault(quoted, .invalidUTF8, 1 + offset)
        expectFault([0x7B] + quoted + Array(":1}".utf8), .invalidUTF8, 2 + offset)
        expectFault([0x22, 0x5C, 0x6E] + text + [0x22], .invalidUTF8, 3 + offset)
    }

    @Test("the JSON parser accepts 32 levels, and throws without a crash for 33 and for a million levels")
    func depth() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
            Array((String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
        }
        _ = try JSON.parse(nested(32, "[", "]"))
        _ = try JSON.parse(nested(32, #"{"a":"#, "}"))
        expectFault(nested(33, "[", "]"), .tooDeep, 32)
        expectFault(nested(33, #"{"a":"#, "}"), .tooDeep, 32 * 5)
        let deep = nested(1_000_000, "[", "]")
        #expect(throws: JSONFault.self) { try JSON.parse(deep, limits: .trusted) }
        expectFault(Array(repeating: UInt8(ascii: "["), count: 60_000), .tooDeep, 32)
    }

    @Test("the JSON parser throws .tooLarge for a document over the size limit")
    func size() throws {
        let limits = JSONLimits(bytes: 10)
        #expect(try JSON.parse(Array(#""12345678""#.utf8), limits: limits) == "12345678")
        let fault = #expect(throws: JSONFault.self) { try JSON.parse(Array(#""123456789""#.utf8), limits: limits) }
        #expect(fault?.reason == .tooLarge)
    }

    @Test("the JSON parser throws .numberTooLong for a number with thousands of digits")
    func longNumber() {
        expectFault(Array(repeating: UInt8(ascii: "9"), count: 5000), .numberTooLong, 0)
        expectFault(Array("0.".utf8) + Array(repeating: UInt8(ascii: "1"), count: 5000), .numberTooLong, 0)
    }

    @Test("the JSON parser throws .duplicateName for a duplicate among thousands of names")
    func manyNames() throws {
        let members = (0..<8000).map { "\"\($0)\":1" }.joined(separator: ",")
        let object = try JSON.parse(Array("{\(members)}".utf8), limits: .trusted)
        #expect(object["7999"] == 1)
        let twice = Array("{\(members),\"5\":2}".utf8)
        let fault = #expect(throws: JSONFault.self) { try JSON.parse(twice, limits: .trusted) }
        #expect(fault == JSONFault(reason: .duplicateName, offset: members.utf8.count + 2))
    }

    private func expectFault(
        _ bytes: [UInt8], _ reason: JSONFault.Reason, _ offset: Int, at location: SourceLocation = #_sourceLocation
    ) {
        let fault = #expect(throws: JSONFault.self, sourceLocation: location) { try JSON.parse(bytes) }
        #expect(fault == JSONFault(reason: reason, offset: offset), sourceLocation: location)
    }
}
