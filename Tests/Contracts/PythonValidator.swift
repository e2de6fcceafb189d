import Contracts
import Foundation
import TestSupport

/// Validates documents with Python's `jsonschema` and the files in `queues/schemas/`, as an integrator's program does.
struct PythonValidator: Sendable {
    /// The Python program failed.
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// A document, and the type whose schema applies.
    struct Sample: Sendable {
        let type: String
        let text: [UInt8]
    }

    private static let script = #"""
        import json, re, sys
        from jsonschema import Draft7Validator, Draft202012Validator
        folder, samples = sys.argv[1:]
        # In Python, `$` also matches before a final line feed; in ECMA-262, which JSON Schema uses, it does not.
        def ecma(schema):
            if isinstance(schema, list):
                return [ecma(item) for item in schema]
            if not isinstance(schema, dict):
                return schema
            return {
                name: re.sub(r"\$$", r"\\Z", value) if name == "pattern" and isinstance(value, str) else ecma(value)
                for name, value in schema.items()
            }
        validators = {}
        for line in open(samples, encoding="utf-8"):
            type, text = json.loads(line)
            if type not in validators:
                schema = json.load(open(f"{folder}/{type}.json", encoding="utf-8"))
                Draft202012Validator.check_schema(schema)
                Draft7Validator.check_schema(schema)
                validators[type] = Draft202012Validator(ecma(schema))
            try:
                document = json.loads(text.removeprefix("\ufeff"))
            except ValueError:
                print("malformed")
            else:
                print("valid" if validators[type].is_valid(document) else "invalid")
        """#

    /// Returns the verdict on each sample: `valid`, `invalid` or `malformed`.
    func verdicts(_ samples: [Sample]) async throws -> [String] {
        try await onThreads { try run(samples) }
    }

    private func run(_ samples: [Sample]) throws -> [String] {
        let schemas = RepositoryFile("queues/schemas").url
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let input = URL(filePath: folder.path("samples"))
        let lines = samples.map { sample in
            ([.string(sample.type), .string(String(decoding: sample.text, as: UTF8.self))] as JSON).serialized()
        }
        try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: input)
        let output = URL(filePath: folder.path("verdicts"))
        try Data().write(to: output)
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/python3")
        python.arguments = [
            "-c", Self.script, schemas.path(percentEncoded: false), input.path(percentEncoded: false),
        ]
        python.standardOutput = try FileHandle(forWritingTo: output)
        try python.run()
        python.waitUntilExit()
        guard python.terminationStatus == 0 else {
            throw Failed(description: "/usr/bin/python3 failed; it needs jsonschema (Debian: python3-jsonschema)")
        }
        return try String(contentsOf: output, encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
