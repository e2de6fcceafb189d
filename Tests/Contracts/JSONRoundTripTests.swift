import Contracts
import TestData
import TestSupport
import Testing

@Suite("JSON writer and parser together")
struct JSONRoundTripTests {
    @Test("a random JSON value is unchanged after it is serialized and parsed", arguments: 0..<200 as Range<UInt64>)
    func anyValue(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let value = JSON.random(depth: 6, &random)
        let bytes = value.serialized()
        #expect(try JSON.parse(bytes, limits: .trusted) == value)
    }

    @Test(
        "a damaged JSON document is refused, or its value is unchanged after it is serialized and parsed",
        arguments: 0..<200 as Range<UInt64>)
    func damaged(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var bytes = JSON.random(depth: 5, &random).serialized()
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
        }
        guard let value = try? JSON.parse(bytes, limits: .trusted) else { return }
        #expect(try JSON.parse(value.serialized(), limits: .trusted) == value)
    }

    @Test("a JSON document that is truncated at any byte is refused")
    func cutOff() throws {
        let whole = Array(#"{"a":[1.5e3,"x\u00e9y€",true,null,{"b":false}],"c":""}"#.utf8)
        _ = try JSON.parse(whole)
        for length in whole.indices {
            #expect(throws: JSONFault.self) { try JSON.parse(Array(whole[..<length])) }
        }
    }

    @Test("the JSON writer escapes quotes, backslashes and control characters at any position, and no other characters")
    func escapes() {
        let text = "\"a\\b\u{0}\u{1f}\u{8}\u{c}\n\r\t/\u{7f}é\u{2028}😀 and a tail with one more \""
        let wanted = #""\"a\\b\u0000\u001f\b\f\n\r\t/"# + "\u{7f}é\u{2028}😀" + #" and a tail with one more \"""#
        #expect(String(decoding: JSON.string(text).serialized(), as: UTF8.self) == wanted)
    }

    @Test("the JSON writer inserts commas and colons")
    func punctuation() {
        let bytes = JSONWriter.bytes { writer in
            writer.object {
                $0.name("empty")
                $0.object { _ in }
                $0.name("list")
                $0.array(of: [1, -20, 300]) { $0.integer($1) }
                $0.name("infinity")
                $0.double(.infinity)
                $0.name("least")
                $0.integer(Int64.min)
            }
        }
        let wanted = #"{"empty":{},"list":[1,-20,300],"infinity":null,"least":-9223372036854775808}"#
        #expect(String(decoding: bytes, as: UTF8.self) == wanted)
    }
}

extension JSON {
    fileprivate static func random(depth: Int, _ random: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .integer(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))
        case 3:
            let double = Double(bitPattern: random.next())
            return double.isFinite ? .double(double) : .null
        case 4, 5: return .string(text(&random))
        case 6:
            return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in .random(depth: depth - 1, &random) })
        default:
            let count = Int.random(in: 0..<20, using: &random)
            return .object(
                JSONObject(
                    (0..<count).map { index in
                        JSONObject.Member(name: "\(index)" + text(&random), value: .random(depth: depth - 1, &random))
                    }))
        }
    }

    private static func text(_ random: inout SeededGenerator) -> String {
        let limits: [UInt32] = [0x20, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF]
        var text = ""
        for _ in 0..<Int.random(in: 0..<30, using: &random) {
            let limit = limits[Int.random(in: limits.indices, using: &random)]
            guard let scalar = Unicode.Scalar(UInt32.random(in: 0...limit, using: &random)) else { continue }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}
