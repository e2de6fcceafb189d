import ArgumentParser

/// `warren contracts`
struct ContractsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contracts", abstract: "Write what travels through the queues as JSON Schema and AsyncAPI.",
        subcommands: [ExportContracts.self])
}
