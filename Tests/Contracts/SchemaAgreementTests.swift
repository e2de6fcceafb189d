import Contracts
import Foundation
import TestData
import TestSupport
import Testing

@Suite("Agreement of the schemas in queues/schemas/ with the program's decoders")
struct SchemaAgreementTests {
    /// The rules that JSON Schema cannot express: from the message of the decoder's fault to the words in the schema.
    private static let rules = [
        "must not be the username or the email": "must not be the username or the email",
        "must not be a commonly used password": "must not be a commonly used password",
        "must not repeat an earlier element": "ids that differ only in case are equal",
        "must be an RFC 3339 date and time": "must be an existing date",
        EmailAddress.asciiRule: EmailAddress.asciiRule,
    ]

    @Test("jsonschema and the decoders agree on generated documents, except for the rules in words")
    func generated() async throws {
        let (samples, verdicts) = try await onThreads {
            var samples: [PythonValidator.Sample] = []
            var verdicts: [CheckedBodyType.Verdict] = []
            for (number, bodyType) in CheckedBodyType.all.enumerated() {
                var mutator = Mutator(random: SeededGenerator(seed: UInt64(number)))
                let mutants = (0..<1500).map { mutator.mutated(bodyType.valid[$0 % bodyType.valid.count]) }
                for document in bodyType.valid + mutants {
                    let text = document.serialized()
                    // The decoders refuse a longer body as malformed before they look at the schema.
                    guard text.count <= JSONLimits.request.bytes else { continue }
                    samples.append(PythonValidator.Sample(type: bodyType.type, text: text))
                    verdicts.append(bodyType.decode(text))
                }
            }
            return (samples, verdicts)
        }
        try await compare(samples, verdicts)
        #expect(!verdicts.contains(.malformed))
        #expect(verdicts.count { $0 == .valid } > 5000)
        #expect(verdicts.count { $0 != .valid } > 5000)
    }

    @Test("jsonschema and the decoders agree on hand-written hostile documents")
    func handWritten() async throws {
        var samples: [PythonValidator.Sample] = []
        var verdicts: [CheckedBodyType.Verdict] = []
        for bodyType in CheckedBodyType.all {
            for text in Self.texts(bodyType.valid[0]) {
                let bytes = Array(text.utf8)
                samples.append(PythonValidator.Sample(type: bodyType.type, text: bytes))
                verdicts.append(bodyType.decode(bytes))
            }
        }
        try await compare(samples, verdicts)
    }

    @Test(
        "jsonschema and the decoder accept the valid documents of a message or event type",
        arguments: CheckedBodyType.all)
    func validDocuments(bodyType: CheckedBodyType) async throws {
        #expect(bodyType.valid.allSatisfy { bodyType.decode($0.serialized()) == .valid })
        let samples = bodyType.valid.map { PythonValidator.Sample(type: bodyType.type, text: $0.serialized()) }
        #expect(try await PythonValidator().verdicts(samples).allSatisfy { $0 == "valid" })
    }

    @Test("every schema in queues/schemas/ except problem.json is compared with a decoder")
    func complete() {
        #expect(Set(CheckedBodyType.all.map(\.type)) == Set(SchemaDocument.all.map(\.type)).subtracting(["problem"]))
    }

    @Test("the rules in words in queues/schemas/ are exactly the expected rules")
    func rulesInWords() {
        let rules = SchemaDocument.all.reduce(into: Set<String>()) { $0.formUnion(Self.rules(in: $1.schema)) }
        #expect(rules == Set(Self.rules.values))
    }

    @Test("the body of every problem is valid under the schema problem.json")
    func problems() async throws {
        let invalid = Problem.invalid(ValidationError(faults: [ValidationFault(pointer: "/a", message: "must be b")]))
        let bodies =
            ProblemCode.all.map { Problem($0).body(traceId: nil) }
            + [invalid.body(traceId: "0af7651916cd43dd8448eb211c80319c")]
        let samples = bodies.map { PythonValidator.Sample(type: "problem", text: $0) }
        #expect(try await PythonValidator().verdicts(samples).allSatisfy { $0 == "valid" })
    }

    private func compare(_ samples: [PythonValidator.Sample], _ verdicts: [CheckedBodyType.Verdict]) async throws {
        let pythonVerdicts = try await PythonValidator().verdicts(samples)
        try #require(pythonVerdicts.count == samples.count)
        for ((sample, decoder), python) in zip(zip(samples, verdicts), pythonVerdicts) {
            let text = String(decoding: sample.text.prefix(300), as: UTF8.self)
            let comment = "\(sample.type) \(text): the decoder says \(decoder), jsonschema says \(python)"
            switch decoder {
            case .valid: #expect(python == "valid", "\(comment)")
            // The parser is stricter than Python's: it refuses duplicate names, lone surrogates and values over
            // a limit.
            case .malformed: break
            case .invalid(let messages):
                let areRulesInWords = messages.allSatisfy { Self.rules[$0] != nil }
                #expect(python == "invalid" || areRulesInWords, "\(comment)")
            }
        }
    }

    private static func rules(in json: JSON) -> Set<String> {
        switch json {
        case .object(let object):
            object.members.reduce(into: []) { found, member in
                if member.name == "x-warren-rules" {
                    found.formUnion((member.value.array ?? []).compactMap(\.string))
                } else {
                    found.formUnion(rules(in: member.value))
                }
            }
        case .array(let elements): elements.reduce(into: []) { $0.formUnion(rules(in: $1)) }
        default: []
        }
    }

    private static func texts(_ valid: JSON) -> [String] {
        let text = String(decoding: valid.serialized(), as: UTF8.self)
        let inner = text.dropFirst().dropLast()
        return [
            text, " \n\(text)\t", "\u{feff}\(text)", "\(text)x", "[\(text)]", "null", "0", "\"\"", "{}", "[]", "{",
            "{\(inner),}", "{'a':1}", "{\(inner)", "{\"a\":NaN}", "{\"a\":1e999}", "{\"limit\":1e1}",
            "{\"limit\":10.0}",
            "{\"limit\":100.00000000000000001}", "{\"limit\":\(String(repeating: "9", count: 401))}",
            "{\"limit\":0.1e2,\"page\":1E0}", "{\"limit\":\"10\"}", "{\"id\":\"\\ud800\"}", "{\"content\":\"\\u0000\"}",
            "{\"content\":\"a\",\"content\":\"b\"}", "{\"content\":\"\\ud83d\\ude00\"}",
            String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
            text.replacing("ab\"", with: "AB\""), text.replacing("\"", with: "\\u0022"),
        ]
    }
}
