import ArgumentParser
import AtomicFile
import Contracts
import IdentityService

/// `warren keys prune`
struct PruneKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove the public keys whose tokens have all expired.",
        discussion: """
            The last step of a key replacement. Afterwards, copy DIRECTORY/jwks.json to every ingress and restart \
            each. A replaced key is kept for an hour, because its tokens can still be valid.
            """)

    @Argument(help: "The directory in which `warren keys rotate` replaced the key.", completion: .directory)
    var directory: String

    @Flag(
        help: """
            Remove all retired keys now, for example because one was stolen; every access token that they signed is \
            then refused.
            """)
    var now = false

    func run() throws {
        try KeyDirectory.withLock(directory) { directory in
            let used = try directory.keysInUse()
            var set = try directory.readKeySet()
            let before = set
            // After a crash, a key in use can be marked as retired, and a key that is not in use can lack the mark.
            set.retire(allBut: used, at: .now())
            let removed = set.prune(at: .now(), early: now)
            guard !used.isEmpty, used.allSatisfy(set.keys.contains) else {
                throw KeyDirectory.Refusal(
                    description: "\(directory.keySet.path) lacks the public half of a key that is in use")
            }
            if set != before { try directory.write(set) }
            for key in removed { print("\(directory.keySet.path): \(key.identifier) was removed") }
            for key in set.keys {
                let state = set.expiry(of: key).map { "is kept until \($0.text)" } ?? "is in use"
                print("\(directory.keySet.path): \(key.identifier) \(state)")
            }
        }
    }
}
