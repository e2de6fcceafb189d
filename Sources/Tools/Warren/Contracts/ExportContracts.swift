import ArgumentParser
import Contracts
import FoundationEssentials

/// `warren contracts export`
struct ExportContracts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write schemas/*.json and asyncapi.yaml, as this program has them.",
        discussion: "Other files in schemas/ are deleted: a message type that is gone has no schema.")

    @Argument(help: "Where to write them: queues, in the repository.", completion: .directory)
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
            try WholeFile("\(directory)/\(file.path)", mode: 0o644).write(Array(file.text.utf8), replacing: true)
        }
        print("\(ContractFiles.all.count) files in \(directory)")
    }
}
