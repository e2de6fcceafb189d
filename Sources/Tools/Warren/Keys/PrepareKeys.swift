import ArgumentParser
import IdentityService

/// `warren keys prepare`
struct PrepareKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare", abstract: "Make the next signing key, and add its public half to the key set.",
        discussion: """
            The first step of an exchange of keys: afterwards give DIRECTORY/jwks.json to every ingress and restart \
            each. Nothing is signed with the new key until `warren keys rotate`.
            """)

    @Argument(help: "Where `warren keys new` wrote its files.", completion: .directory)
    var directory: String

    func run() throws {
        try KeyDirectory.work(in: directory) { directory in
            let next = directory.nextSigningKey
            guard !next.exists else {
                throw KeyDirectory.Refusal(description: "\(next.path) is there already; `warren keys rotate` takes it")
            }
            var set = try directory.readKeySet()
            let key = SigningKey()
            set.add(key.publicKey)
            // The secret last: where it is, the other is too.
            try directory.write(set)
            try next.write(Array(key.pem.utf8), replacing: false)
            print("\(next.path): the next signing key \(key.publicKey.identifier)")
            print(
                "\(directory.keySet.path): \(set.keys.count) public keys; copy it to every ingress before the next step"
            )
        }
    }
}
