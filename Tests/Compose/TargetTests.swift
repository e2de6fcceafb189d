import Foundation
import Testing

@Suite("Test targets of compose/local")
struct TargetTests {
    /// Returns the test targets of Package.swift, without the ending `Tests`.
    private func targets() throws -> Set<String> {
        try Repository.all(#"\btests\(\s*"(\w+)""#, in: Repository.text("Package.swift"))
    }

    /// Returns the table of `compose/lib/targets.sh`: each target with what it needs.
    private func needs() async throws -> [String: Set<String>] {
        let ended = try await Repository.runScript(
            #"for target in "${!TEST_NEEDS[@]}"; do echo "$target ${TEST_NEEDS[$target]}"; done"#,
            parts: ["targets"], state: "/nonexistent")
        try #require(ended.status == 0, "\(ended.errors)")
        return Dictionary(
            uniqueKeysWithValues: ended.text.split(separator: "\n").map { line in
                let words = line.split(separator: " ").map(String.init)
                return (words[0], Set(words.dropFirst()))
            })
    }

    @Test("compose/local test knows every test target of Package.swift and no other")
    func table() async throws {
        let known: Set = ["rabbitmq", "postgres", "redis", "stack"]
        let needs = try await needs()
        #expect(try Set(needs.keys) == targets())
        #expect(needs.values.allSatisfy { $0.isSubset(of: known) })
    }

    @Test("the table of Tests/README.md has the same targets and the same servers")
    func documentation() async throws {
        let words = ["RabbitMQ": "rabbitmq", "PostgreSQL": "postgres", "Redis": "redis", "all of Warren": "stack"]
        var documented: [String: Set<String>] = [:]
        for row in try Repository.text("Tests/README.md").split(separator: "\n") where row.hasPrefix("| `") {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3 else { continue }
            for folder in try Repository.all(#"`(\w+)/`"#, in: cells[0]) where try targets().contains(folder) {
                documented[folder] = Set(words.filter { cells[2].contains($0.key) }.values)
            }
        }
        #expect(try await documented == needs())
    }

    @Test("an unknown test target is refused with a list of all targets")
    func unknown() async throws {
        let ended = try await Repository.run(Repository.path("compose/local"), ["test", "Nobody"])
        #expect(ended.status == 64)
        #expect(ended.errors.contains("unknown test target Nobody"))
        for target in try targets() { #expect(ended.errors.contains("  \(target) "), "\(target)") }
    }
}
