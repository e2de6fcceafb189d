import ArgumentParser
import AtomicFile
import IdentityService

/// `warren keys prepare`
struct PrepareKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare", abstract: "Create the next signing key, and add its public half to the key set.",
        discussion: """
            The first step of a key replacement. Afterwards, copy DIRECTORY/jwks.json to every ingress and restart \
            each. The new key does not sign before `warren keys rotate`.
            """)

    @Argument(help: "The directory that `warren keys new` wrote to.", completion: .directory)
    var directory: String

    func run() throws {
        try KeyDirectory.withLock(directory) { directory in
            let next = directory.nextSigningKey
            guard !next.exists else {
                throw KeyDirectory.Refusal(
                    description: "\(next.path) already exists; `warren keys rotate` puts it into use")
            }
            var set = try directory.readKeySet()
            let key = SigningKey()
            set.add(key.publicKey)
            // The private key is written last, so that a private key never exists without its public half.
            try directory.write(set)
            try next.write(Array(key.pem.utf8), replacing: false)
            print("\(next.path): next signing key \(key.publicKey.identifier)")
            print(
                "\(directory.keySet.path): \(set.keys.count) public keys; copy this file to every ingress and restart "
                    + "each before `warren keys rotate`")
        }
    }
}
