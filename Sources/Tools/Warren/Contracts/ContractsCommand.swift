import ArgumentParser

/// `warren contracts`
struct ContractsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contracts", abstract: "Export the queue contract as JSON Schema and AsyncAPI.",
        subcommands: [ExportContracts.self])
}
