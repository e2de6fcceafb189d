import Foundation
import Testing

@Suite("Test targets of compose/local")
struct TargetTests {
    /// Returns the test targets of Package.swift, without the ending `Tests`.
    private func targets() throws -> Set<String> {
        try Repository.all(#"\btests\(\s*"(\w+)""#, in: Repository.text("Package.swift"))
    }

    /// Returns the table of `compose/lib/targets.sh`: each target with the servers that it needs.
    private func needs() async throws -> [String: Set<String>] {
        let result = try await Repository.runScript(
            #"for target in "${!TEST_NEEDS[@]}"; do echo "$target ${TEST_NEEDS[$target]}"; done"#,
            parts: ["targets"], state: "/nonexistent")
        try #require(result.status == 0, "\(result.errors)")
        return Dictionary(
            uniqueKeysWithValues: result.text.split(separator: "\n").map { line in
                let words = line.split(separator: " ").map(String.init)
                return (words[0], Set(words.dropFirst()))
            })
    }

    @Test("compose/local test accepts exactly the test targets of Package.swift")
    func table() async throws {
        let known: Set = ["rabbitmq", "postgres", "redis", "stack"]
        let needs = try await needs()
        #expect(try Set(needs.keys) == targets())
        #expect(needs.values.allSatisfy { $0.isSubset(of: known) })
    }

    @Test("Tests/README.md lists the same test targets and servers as compose/lib/targets.sh")
    func documentation() async throws {
        let servers = ["RabbitMQ": "rabbitmq", "PostgreSQL": "postgres", "Redis": "redis", "all of Warren": "stack"]
        var documented: [String: Set<String>] = [:]
        for row in try Repository.text("Tests/README.md").split(separator: "\n") where row.hasPrefix("| `") {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3 else { continue }
            for folder in try Repository.all(#"`(\w+)/`"#, in: cells[0]) where try targets().contains(folder) {
                documented[folder] = Set(servers.filter { cells[2].contains($0.key) }.values)
            }
        }
        #expect(try await documented == needs())
    }

    @Test("compose/local test refuses an unknown target with status 64 and lists all targets")
    func unknown() async throws {
        let result = try await Repository.run(Repository.path("compose/local"), ["test", "Nobody"])
        #expect(result.status == 64)
        #expect(result.errors.contains("unknown test target Nobody"))
        for target in try targets() { #expect(result.errors.contains("  \(target) "), "\(target)") }
    }
}
