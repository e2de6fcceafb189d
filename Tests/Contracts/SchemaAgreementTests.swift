import Contracts
import Foundation
import TestSupport
import Testing

@Suite("What a schema of queues/schemas/ takes and refuses, the workers take and refuse")
struct SchemaAgreementTests {
    /// What JSON Schema cannot say, by the message with which a worker refuses it, and the words that say it in the schemas.
    private static let rules = [
        "must not be the username or the email": "must not be the username or the email",
        "must not be a commonly used password": "must not be a commonly used password",
        "must not come twice": "ids that differ only in case are the same",
        "must be a date and time of RFC 3339": "must be a day that there is",
    ]

    @Test("every generated document gets the same verdict of both, but for the rules that a schema can only tell")
    func generated() async throws {
        let (samples, verdicts) = try await onThreads {
            var samples: [PythonValidator.Sample] = []
            var verdicts: [SchemaSubject.Verdict] = []
            for (number, subject) in SchemaSubject.all.enumerated() {
                var mutator = Mutator(random: SeededGenerator(seed: UInt64(number)))
                let mutants = (0..<1500).map { mutator.mutated(subject.good[$0 % subject.good.count]) }
                for document in subject.good + mutants {
                    let text = document.serialized()
                    samples.append(PythonValidator.Sample(type: subject.type, text: text))
                    verdicts.append(subject.decode(text))
                }
            }
            return (samples, verdicts)
        }
        try await compare(samples, verdicts)
        #expect(!verdicts.contains(.unreadable))
        #expect(verdicts.count { $0 == .taken } > 5000)
        #expect(verdicts.count { $0 != .taken } > 5000)
    }

    @Test("hand-written hostile texts get the same verdict of both")
    func handWritten() async throws {
        var samples: [PythonValidator.Sample] = []
        var verdicts: [SchemaSubject.Verdict] = []
        for subject in SchemaSubject.all {
            for text in Self.texts(subject.good[0]) {
                let bytes = Array(text.utf8)
                samples.append(PythonValidator.Sample(type: subject.type, text: bytes))
                verdicts.append(subject.decode(bytes))
            }
        }
        try await compare(samples, verdicts)
    }

    @Test("a good document of each kind is taken by both", arguments: SchemaSubject.all)
    func good(subject: SchemaSubject) async throws {
        #expect(subject.good.allSatisfy { subject.decode($0.serialized()) == .taken })
        let samples = subject.good.map { PythonValidator.Sample(type: subject.type, text: $0.serialized()) }
        #expect(try await PythonValidator().verdicts(samples).allSatisfy { $0 == "taken" })
    }

    @Test("every schema has its subject here")
    func complete() {
        #expect(Set(SchemaSubject.all.map(\.type)) == Set(SchemaDocuments.all.map(\.type)).subtracting(["problem"]))
    }

    @Test("the rules that a schema can only tell are these and no others")
    func onlyTold() {
        let told = SchemaDocuments.all.reduce(into: Set<String>()) { $0.formUnion(Self.rules(in: $1.schema)) }
        #expect(told == Set(Self.rules.values))
    }

    @Test("every problem's body is what its schema says")
    func problems() async throws {
        let invalid = Problem.invalid(ValidationError(faults: [ValidationFault(pointer: "/a", message: "must be b")]))
        let bodies =
            ProblemCode.all.map { Problem($0).body(traceId: nil) }
            + [invalid.body(traceId: "0af7651916cd43dd8448eb211c80319c")]
        let samples = bodies.map { PythonValidator.Sample(type: "problem", text: $0) }
        #expect(try await PythonValidator().verdicts(samples).allSatisfy { $0 == "taken" })
    }

    private func compare(_ samples: [PythonValidator.Sample], _ verdicts: [SchemaSubject.Verdict]) async throws {
        let schemas = try await PythonValidator().verdicts(samples)
        try #require(schemas.count == samples.count)
        for ((sample, worker), schema) in zip(zip(samples, verdicts), schemas) {
            let words =
                "\(sample.type) \(String(decoding: sample.text.prefix(300), as: UTF8.self)): \(worker), \(schema)"
            switch worker {
            case .taken: #expect(schema == "taken", "\(words)")
            // What is no JSON to a worker (a name twice, half a surrogate pair, past a limit) no schema gets to see.
            case .unreadable: break
            case .refused(let messages):
                let isOnlyTold = messages.allSatisfy { Self.rules[$0] != nil }
                #expect(schema == "refused" || isOnlyTold, "\(words)")
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
