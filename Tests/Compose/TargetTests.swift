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

    @Test("the servers that test targets need are servers that compose/local starts")
    func servers() async throws {
        let result = try await Repository.runScript(
            #"for server in "${SERVERS[@]}"; do declare -F "launch_$server" >&2; echo "$server"; done"#,
            parts: ["secrets", "rabbitmq", "postgres", "redis", "servers"], state: "/nonexistent")
        try #require(result.status == 0, "\(result.errors)")
        let started = Set(result.text.split(separator: "\n").map(String.init))
        #expect(started == ["rabbitmq", "postgres", "redis", "limits"])
        #expect(try await needs().values.allSatisfy { $0 == ["stack"] || $0.isSubset(of: started) })
        // The rate limits are tested on `redis`, so that a target does not need both Redis servers.
        #expect(try await needs().values.allSatisfy { !$0.contains("limits") })
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
