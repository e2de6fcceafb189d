import ArgumentParser
import IdentityService

/// `warren keys new`
struct NewKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a signing key, and the public key set that verifies its tokens.",
        discussion: """
            DIRECTORY/signing-key.pem is for warren-identity alone (WARREN_SIGNING_KEY_FILE); DIRECTORY/jwks.json is \
            public (WARREN_VERIFY_KEYS_FILE).
            """)

    @Argument(help: "Where to write the two files; made if it is not there.", completion: .directory)
    var directory: String

    @Flag(help: "Replace files that are there already; every access token signed until now is then refused.")
    var force = false

    func run() throws {
        try KeyDirectory.work(in: directory, makes: true) { directory in
            let (signingKey, next, keySet) = (directory.signingKey, directory.nextSigningKey, directory.keySet)
            if !force, let file = [signingKey, next, keySet].first(where: \.exists) {
                throw KeyDirectory.Refusal(description: "\(file.path) is there already; --force replaces it")
            }
            // One that is in no key set any more must not come to sign.
            if next.exists { try next.remove() }
            let key = SigningKey()
            // The secret last: where it is, the other is too.
            try keySet.write(KeySet([key.publicKey]).document, replacing: force)
            try signingKey.write(Array(key.pem.utf8), replacing: force)
            print("\(signingKey.path): the signing key \(key.publicKey.identifier), for warren-identity alone")
            print("\(keySet.path): its public half")
        }
    }
}
