import ArgumentParser
import AtomicFile
import Contracts
import FoundationEssentials

/// `warren contracts export`
struct ExportContracts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write schemas/*.json, asyncapi.yaml and the tables of README.md.",
        discussion: "Also deletes all other files in schemas/, such as the schema of a message type that was removed.")

    @Argument(help: "The directory to write to; in the repository, this is queues.", completion: .directory)
    var directory: String

    func run() throws {
        let files = FileManager.default
        let folder = "\(directory)/\(ContractFile.schemaFolder)"
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let paths = Set(ContractFile.all.map(\.path))
        for name in try files.contentsOfDirectory(atPath: folder)
        where !paths.contains("\(ContractFile.schemaFolder)/\(name)") {
            try files.removeItem(atPath: "\(folder)/\(name)")
        }
        for file in ContractFile.all {
            try AtomicFile("\(directory)/\(file.path)", mode: 0o644).write(Array(file.text.utf8), replacing: true)
        }
        try updateTables("\(directory)/README.md")
        print("wrote \(ContractFile.all.count) files to \(directory)")
    }

    /// Replaces the generated tables in a README. Does nothing if the file does not exist.
    private func updateTables(_ path: String) throws {
        let file = AtomicFile(path, mode: 0o644)
        guard file.exists else { return }
        var text = String(decoding: try file.read().bytes, as: UTF8.self)
        for table in ContractTable.all {
            guard let updated = table.replacing(in: text) else { throw MissingTable(path: path, name: table.name) }
            text = updated
        }
        try file.write(Array(text.utf8), replacing: true)
    }
}

/// The error for a README.md without the comments that enclose a generated table.
private struct MissingTable: Error, CustomStringConvertible {
    let path: String
    let name: String

    var description: String { "\(path) lacks the comments that enclose the table of \(name)" }
}
