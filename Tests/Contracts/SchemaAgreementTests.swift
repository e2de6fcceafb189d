import Contracts
import Foundation
import TestSupport
import Testing

@Suite("Agreement of the schemas in queues/schemas/ with the program's decoders")
struct SchemaAgreementTests {
    /// The rules that JSON Schema cannot express: the message of the fault, and the words in the schema.
    private static let rules = [
        "must not be the username or the email": "must not be the username or the email",
        "must not be a commonly used password": "must not be a commonly used password",
        "must not repeat an earlier element": "ids that differ only in case are equal",
        "must be an RFC 3339 date and time": "must be an existing date",
    ]

    @Test("jsonschema and the decoders agree on generated documents, except for the rules in words")
    func generated() async throws {
        let (samples, verdicts) = try await onThreads {
            var samples: [PythonValidator.Sample] = []
            var verdicts: [SchemaSubject.Verdict] = []
            for (number, subject) in SchemaSubject.all.enumerated() {
                var mutator = Mutator(random: SeededGenerator(seed: UInt64(number)))
                let mutants = (0..<1500).map { mutator.mutated(subject.valid[$0 % subject.valid.count]) }
                for document in subject.valid + mutants {
                    let text = document.serialized()
                    // The decoders refuse a longer body as malformed before they look at the schema.
                    guard text.count <= JSONLimits.request.bytes else { continue }
                    samples.append(PythonValidator.Sample(type: subject.type, text: text))
                    verdicts.append(subject.decode(text))
                }
            }
            return (samples, verdicts)
        }
        try await compare(samples, verdicts)
        #expect(!verdicts.contains(.malformed))
        #expect(verdicts.count { $0 == .valid } > 5000)
        #expect(verdicts.count { $0 != .valid } > 5000)
    }

    @Test("jsonschema and the decoders agree on hostile texts")
    func handWritten() async throws {
        var samples: [PythonValidator.Sample] = []
        var verdicts: [SchemaSubject.Verdict] = []
        for subject in SchemaSubject.all {
            for text in Self.texts(subject.valid[0]) {
                let bytes = Array(text.utf8)
                samples.append(PythonValidator.Sample(type: subject.type, text: bytes))
                verdicts.append(subject.decode(bytes))
            }
        }
        try await compare(samples, verdicts)
    }

    @Test("jsonschema and the decoder accept the example and the variants of a body", arguments: SchemaSubject.all)
    func good(subject: SchemaSubject) async throws {
        #expect(subject.valid.allSatisfy { subject.decode($0.serialized()) == .valid })
        let samples = subject.valid.map { PythonValidator.Sample(type: subject.type, text: $0.serialized()) }
        #expect(try await PythonValidator().verdicts(samples).allSatisfy { $0 == "valid" })
    }

    @Test("every schema except that of problems has a decoder")
    func complete() {
        #expect(Set(SchemaSubject.all.map(\.type)) == Set(SchemaDocument.all.map(\.type)).subtracting(["problem"]))
    }

    @Test("the schemas contain exactly the expected rules in words")
    func rulesInWords() {
        let rules = SchemaDocument.all.reduce(into: Set<String>()) { $0.formUnion(Self.rules(in: $1.schema)) }
        #expect(rules == Set(Self.rules.values))
    }

    @Test("the body of every problem is valid under its schema")
    func problems() async throws {
        let invalid = Problem.invalid(ValidationError(faults: [ValidationFault(pointer: "/a", message: "must be b")]))
        let bodies =
            ProblemCode.all.map { Problem($0).body(traceId: nil) }
            + [invalid.body(traceId: "0af7651916cd43dd8448eb211c80319c")]
        let samples = bodies.map { PythonValidator.Sample(type: "problem", text: $0) }
        #expect(try await PythonValidator().verdicts(samples).allSatisfy { $0 == "valid" })
    }

    private func compare(_ samples: [PythonValidator.Sample], _ verdicts: [SchemaSubject.Verdict]) async throws {
        let schemas = try await PythonValidator().verdicts(samples)
        try #require(schemas.count == samples.count)
        for ((sample, worker), schema) in zip(zip(samples, verdicts), schemas) {
            let words =
                "\(sample.type) \(String(decoding: sample.text.prefix(300), as: UTF8.self)): \(worker), \(schema)"
            switch worker {
            case .valid: #expect(schema == "valid", "\(words)")
            // The parser is stricter than Python's: it refuses duplicate names, lone surrogates and values over
            // a limit.
            case .malformed: break
            case .invalid(let messages):
                let areRulesInWords = messages.allSatisfy { Self.rules[$0] != nil }
                #expect(schema == "invalid" || areRulesInWords, "\(words)")
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

    private static func texts(_ good: JSON) -> [String] {
        let text = String(decoding: good.serialized(), as: UTF8.self)
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
