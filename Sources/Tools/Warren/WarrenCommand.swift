import ArgumentParser

/// The operator's command.
@main struct WarrenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warren", abstract: "Set up and maintain Warren.",
        subcommands: [KeysCommand.self, ContractsCommand.self, SearchCommand.self])
}

/// `warren keys`
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Create and replace the keys that sign and verify access tokens.",
        subcommands: [NewKeys.self, PrepareKeys.self, RotateKeys.self, PruneKeys.self])
}

/// `warren contracts`
struct ContractsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contracts", abstract: "Write the contracts of the queues as JSON Schema and AsyncAPI.",
        subcommands: [ExportContracts.self])
}

/// `warren search`
struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Maintain the search index.", subcommands: [RebuildIndex.self])
}
