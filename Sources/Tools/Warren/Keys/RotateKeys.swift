import ArgumentParser
import Contracts
import IdentityService

/// `warren keys rotate`
struct RotateKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Put the next signing key in the place of the present one.",
        discussion: """
            The second step of an exchange of keys: afterwards restart every warren-identity. The old key's public \
            half stays in DIRECTORY/jwks.json, for the tokens that it has signed.
            """)

    @Argument(help: "Where `warren keys prepare` made the next key.", completion: .directory)
    var directory: String

    func run() throws {
        try KeyDirectory.work(in: directory) { directory in
            let next = directory.nextSigningKey
            guard next.exists else {
                throw KeyDirectory.Refusal(
                    description: "\(next.path) is not there; `warren keys prepare` makes it, and every ingress must "
                        + "have its public half first")
            }
            let key = try directory.publicHalf(of: next)
            var set = try directory.readKeySet()
            guard set.keys.contains(key) else {
                throw KeyDirectory.Refusal(
                    description: "\(directory.keySet.path) lacks the public half of \(next.path): delete that file and "
                        + "begin anew with `warren keys prepare`")
            }
            set.retire(allBut: [key], at: .now())
            // A crash in between leaves an old key that is noted as retired and signs: `prune` spares it.
            try directory.write(set)
            try next.replace(directory.signingKey)
            print("\(directory.signingKey.path): the signing key \(key.identifier); restart every warren-identity")
            for old in set.keys where old != key {
                print("\(directory.keySet.path): \(old.identifier) stays until \(set.expiry(of: old)?.text ?? "-")")
            }
        }
    }
}
