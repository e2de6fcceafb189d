import ArgumentParser
import AtomicFile
import Contracts
import IdentityService

/// `warren keys rotate`
struct RotateKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace the current signing key with the next one.",
        discussion: """
            The second step of a key replacement. Afterwards, restart every warren-identity. The public half of the \
            old key stays in DIRECTORY/jwks.json for the tokens that it signed.
            """)

    @Argument(help: "The directory in which `warren keys prepare` created the next key.", completion: .directory)
    var directory: String

    func run() throws {
        try KeyDirectory.withLock(directory) { directory in
            let next = directory.nextSigningKey
            guard next.exists else {
                throw KeyDirectory.Refusal(
                    description:
                        "\(next.path) does not exist; run `warren keys prepare`, and copy \(directory.keySet.path) "
                        + "to every ingress first")
            }
            let key = try directory.publicHalf(of: next)
            var set = try directory.readKeySet()
            guard set.keys.contains(key) else {
                throw KeyDirectory.Refusal(
                    description: "\(directory.keySet.path) lacks the public half of \(next.path); delete \(next.path) "
                        + "and run `warren keys prepare` again")
            }
            set.retire(allBut: [key], at: .now())
            // If this process is killed after this write, the old key is marked as retired but still signs.
            // `warren keys prune` keeps such a key.
            try directory.write(set)
            try next.replace(directory.signingKey)
            print("\(directory.signingKey.path): signing key \(key.identifier); restart every warren-identity")
            for old in set.keys where old != key {
                print("\(directory.keySet.path): \(old.identifier) is kept until \(set.expiry(of: old)?.text ?? "-")")
            }
        }
    }
}
