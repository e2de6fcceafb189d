import ArgumentParser

/// `warren search`
struct Search: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the index of posts.", subcommands: [RebuildIndex.self])
}
