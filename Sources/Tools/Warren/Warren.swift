import ArgumentParser

/// The operator's command.
@main struct Warren: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warren", abstract: "Set up and look after a Warren.",
        subcommands: [Keys.self, ContractsCommand.self, Search.self])
}
