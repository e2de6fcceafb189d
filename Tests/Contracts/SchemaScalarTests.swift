import Contracts
import Testing

@Suite("Schemas of strings and numbers")
struct SchemaScalarTests {
    @Test(
        "the length of a string is counted in code points",
        arguments: [
            ("", false), ("ab", true), ("abc", true), ("abcd", true), ("abcde", false), ("😀", false), ("😀😀", true),
            ("😀😀😀😀", true), ("😀😀😀😀😀", false), ("e\u{301}", true), ("👨‍👩‍👧", false),
        ])
    func length(text: String, isValid: Bool) {
        #expect((try? Schema<String>.string(2...4).decode(.string(text))) == (isValid ? text : nil))
    }

    @Test(
        "a string with U+0000 at any position is refused",
        arguments: ["\u{0}", "a\u{0}", "0123456789\u{0}0123456789"])
    func nul(text: String) {
        #expect(throws: ValidationError.self) { try Schema<String>.string.decode(.string(text)) }
        #expect(throws: ValidationError.self) { try Schema<String>.string(0...100).decode(.string(text)) }
    }

    @Test(
        "a string of white space or invisible characters is refused by notBlank",
        arguments: [
            " ", "\t\n\r\u{b}\u{c}", "\u{85}", "\u{200b}", "\u{ad}\u{200d}\u{fe0f}\u{2800}\u{3164}",
            "\u{a0}\u{2003}\u{3000}\u{2028}\u{feff}\u{202f}\u{205f}\u{1680}", "\u{e0001}\u{e0041}\u{e007f}",
            "\u{fe0f}\u{e0100}\u{e01ef}", "\u{1d173}\u{1bca0}\u{e0fff}",
        ])
    func blank(text: String) throws {
        #expect(throws: ValidationError.self) { try Schema<String>.string.notBlank.decode(.string(text)) }
        _ = try Schema<String>.string.notBlank.decode(.string(text + "."))
        _ = try Schema<String>.string.notBlank.decode(.string(text + "\u{1f3f4}\u{e0067}"))
    }

    @Test("a number without a fractional part is an integer, also if it is written as 10.0")
    func whole() throws {
        let schema = Schema<Int>.integer(1...100)
        #expect(try schema.decode(10.0) == 10)
        for bad: JSON in [0, 101, 1.5, 1e300, -1, "10", true, nil] {
            #expect(throws: ValidationError.self) { try schema.decode(bad) }
        }
        #expect(try Schema<Int>.integer(0...).decode(.integer(.max)) == .max)
    }

    @Test("an integer is accepted where a number is required")
    func number() throws {
        #expect(try Schema<Double>.number.decode(3) == 3)
        #expect(throws: ValidationError.self) { try Schema<Double>.number.decode("3") }
    }

    @Test("only true and false are accepted where a boolean is required")
    func boolean() throws {
        #expect(try Schema<Bool>.boolean.decode(true))
        #expect(try !Schema<Bool>.boolean.decode(false))
        for bad: JSON in [0, 1, "true", nil] {
            #expect(throws: ValidationError.self) { try Schema<Bool>.boolean.decode(bad) }
        }
    }

    @Test("a schema reports the fault of a refinement at the pointer of the refinement")
    func refinement() {
        let schema = Schema<Int>.integer(0...).refined("must be even", at: "/x") { $0 % 2 == 0 }
        let invalid = #expect(throws: ValidationError.self) { try schema.decode(3) }
        #expect(invalid == ValidationError(faults: [ValidationFault(pointer: "/x", message: "must be even")]))
    }

    @Test("the shape of a schema has the bounds that the schema checks")
    func shape() {
        guard case .object(let object) = CreatePost.schema.shape else {
            Issue.record("the shape of CreatePost is not an object")
            return
        }
        #expect(!object.allowsUnknownFields)
        #expect(object.fields.map(\.name) == ["content", "mediaIds"])
        #expect(object.fields.map(\.isRequired) == [true, false])
        #expect(object.fields[1].defaultValue == [])
        guard case .string(let content) = object.fields[0].shape else {
            Issue.record("the shape of content is not a string")
            return
        }
        #expect(content.minimumLength == 1 && content.maximumLength == 5000)
        #expect(content.patterns.count == 2)
    }
}
