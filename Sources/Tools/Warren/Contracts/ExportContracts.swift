import ArgumentParser
import AtomicFile
import Contracts
import FoundationEssentials

/// `warren contracts export`
struct ExportContracts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write schemas/*.json and asyncapi.yaml from the messages of this program.",
        discussion: "Deletes all other files in schemas/, such as the schema of a message type that was removed.")

    @Argument(help: "The directory to write to; in the repository, this is queues.", completion: .directory)
    var directory: String

    func run() throws {
        let files = FileManager.default
        let folder = "\(directory)/\(ContractFiles.schemaFolder)"
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let paths = Set(ContractFiles.all.map(\.path))
        for name in try files.contentsOfDirectory(atPath: folder)
        where !paths.contains("\(ContractFiles.schemaFolder)/\(name)") {
            try files.removeItem(atPath: "\(folder)/\(name)")
        }
        for file in ContractFiles.all {
            try AtomicFile("\(directory)/\(file.path)", mode: 0o644).write(Array(file.text.utf8), replacing: true)
        }
        print("wrote \(ContractFiles.all.count) files to \(directory)")
    }
}
