import Foundation
import TestSupport
import Testing

@Suite("List of the faults") struct FaultListTests {
    @Test("compose/README.md has the table that warren-chaos --list prints")
    func readme() throws {
        let process = Process()
        process.executableURL = URL(filePath: try builtProgram("warren-chaos"))
        process.arguments = ["--list"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let table = String(decoding: try #require(try output.fileHandleForReading.readToEnd()), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(table.split(separator: "\n").count > 40)
        let readme = try String(contentsOfFile: RepositoryFile("compose/README.md").path, encoding: .utf8)
        // The README file has exactly this table, without further rows.
        #expect(readme.contains("\n\n\(table)\n"))
    }
}
