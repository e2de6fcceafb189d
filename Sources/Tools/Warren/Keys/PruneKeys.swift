import ArgumentParser
import Contracts
import IdentityService

/// `warren keys prune`
struct PruneKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Drop the public keys whose tokens have all expired.",
        discussion: """
            The last step of an exchange of keys: afterwards give DIRECTORY/jwks.json to every ingress and restart \
            each. A key stays for an hour after another took its place.
            """)

    @Argument(help: "Where `warren keys rotate` exchanged the keys.", completion: .directory)
    var directory: String

    @Flag(
        help: "Drop them within the hour too, as when one was stolen: every access token that they signed is refused.")
    var now = false

    func run() throws {
        try KeyDirectory.work(in: directory) { directory in
            let used = try directory.keysInUse()
            var set = try directory.readKeySet()
            let before = set
            // One that signs is spared whatever was noted of it; one of unknown past is noted, and goes next time.
            set.retire(allBut: used, at: .now())
            let gone = set.prune(at: .now(), early: now)
            guard !used.isEmpty, used.allSatisfy(set.keys.contains) else {
                throw KeyDirectory.Refusal(
                    description: "\(directory.keySet.path) lacks the public half of a key that is in use")
            }
            if set != before { try directory.write(set) }
            for key in gone { print("\(directory.keySet.path): \(key.identifier) is gone") }
            for key in set.keys {
                let fate = set.expiry(of: key).map { "stays until \($0.text)" } ?? "is in use"
                print("\(directory.keySet.path): \(key.identifier) \(fate)")
            }
        }
    }
}
