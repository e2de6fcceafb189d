import ArgumentParser

/// `warren keys`
struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and exchange the keys that access tokens are signed and verified with.",
        subcommands: [NewKeys.self, PrepareKeys.self, RotateKeys.self, PruneKeys.self])
}
