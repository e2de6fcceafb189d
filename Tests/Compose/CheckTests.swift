import Foundation
import TestSupport
import Testing

@Suite("compose/local check")
struct CheckTests {
    /// Runs `check_text.py` on a folder with these files, and returns the lines that it prints.
    private func faults(_ files: [String: String]) async throws -> [String] {
        let folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(text, to: name) }
        let result = try await Repository.run(
            "/usr/bin/python3", [Repository.path("compose/lib/check_text.py"), folder.path])
        let lines = result.text.split(separator: "\n").map(String.init)
        #expect(result.status == (lines.isEmpty ? 0 : 1), "\(result.errors)")
        return lines
    }

    @Test("compose/local check reports a line over 120 columns, except table rows and lines with URLs or long words")
    func longLines() async throws {
        let long = String(repeating: "ab ", count: 41)
        let umlauts = String(repeating: "ä ", count: 60)
        let files = [
            "Sources/A.swift": "// short\n// \(long)\n", "Sources/B.swift": umlauts,
            "Sources/C.swift": "\"" + String(repeating: "x", count: 130),
            "README.md": "| \(long) |\nhttps://example.org \(long)\n\(long)\n",
        ]
        #expect(
            try await faults(files) == [
                "README.md:3: 123 columns, at most 120 are allowed",
                "Sources/A.swift:2: 126 columns, at most 120 are allowed",
            ])
    }

    @Test("compose/local check reports a link to a missing file or heading, even if the link's text has two lines")
    func links() async throws {
        let readme = """
            # The first `one`
            [good](docs/README.md#two-words) [good](docs/) [good](#the-first-one) [good](https://example.org/x)
            [bad](docs/GONE) [bad](docs/README.md#three) [bad
            text](#none)
            `[code](gone)`
            ```
            [code](gone)
            ```
            """
        let files = ["README.md": readme, "docs/README.md": "## Two words\n"]
        #expect(
            try await faults(files) == [
                "README.md:3: the link docs/GONE leads to no file",
                "README.md:3: the link docs/README.md#three leads to no heading",
                "README.md:4: the link #none leads to no heading",
            ])
    }

    @Test("compose/local check reports a file or folder that Markdown or a comment names and that does not exist")
    func names() async throws {
        let readme = "`Kept.swift` `Parts/Kept.swift` `Parts/` `Gone.swift` `Lost/` `NAME.swift` `.local/run/`\n"
        let files = [
            "README.md": readme, "Sources/Parts/Kept.swift": "// Sources/Parts/Kept.swift Sources/Gone.swift GONE.md\n",
        ]
        #expect(
            try await faults(files) == [
                "README.md:1: Gone.swift does not exist", "README.md:1: Lost/ does not exist",
                "Sources/Parts/Kept.swift:1: Sources/Gone.swift does not exist",
                "Sources/Parts/Kept.swift:1: GONE.md does not exist",
            ])
    }

    @Test("compose/local check reports an import of a module that is not a dependency of the target")
    func imports() async throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            {"targets": [
                {"name": "Low", "path": "Sources/Low", "dependencies": []},
                {"name": "High", "path": "Sources/High", "dependencies": [{"byName": ["Low", null]}]}
            ]}
            """, to: "package.json")
        try folder.write("import Foundation\n@testable import High\n", to: "Sources/Low/A.swift")
        try folder.write("internal import Low\n", to: "Sources/High/B.swift")
        let command = "python3 '\(Repository.path("compose/lib/check_imports.py"))' . <package.json"
        let result = try await Repository.run("/bin/bash", ["-c", "cd '\(folder.path)' && \(command)"])
        #expect(result.status == 1)
        #expect(result.text == "Sources/Low/A.swift:2: Low imports High, on which it does not depend\n")
    }
}
