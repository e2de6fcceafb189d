import ArgumentParser
import AtomicFile
import IdentityService

/// `warren keys new`
struct NewKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Create a signing key, and the set of public keys that verify its tokens.",
        discussion: """
            DIRECTORY/signing-key.pem is for warren-identity only (WARREN_SIGNING_KEY_FILE); DIRECTORY/jwks.json is \
            public (WARREN_VERIFY_KEYS_FILE).
            """)

    @Argument(help: "The directory for the two files; it is created if it is missing.", completion: .directory)
    var directory: String

    @Flag(help: "Replace existing files; every access token signed before is then refused.")
    var force = false

    func run() throws {
        try KeyDirectory.withLock(directory, creating: true) { directory in
            let (signingKey, next, keySet) = (directory.signingKey, directory.nextSigningKey, directory.keySet)
            if !force, let file = [signingKey, next, keySet].first(where: \.exists) {
                throw KeyDirectory.Refusal(description: "\(file.path) already exists; use --force to replace it")
            }
            // The new key set will not have the public half of the next key, so the next key must never sign.
            if next.exists { try next.remove() }
            let key = SigningKey()
            // The private key is written last, so that a private key never exists without its public half.
            try keySet.write(KeySet([key.publicKey]).document, replacing: force)
            try signingKey.write(Array(key.pem.utf8), replacing: force)
            print("\(signingKey.path): signing key \(key.publicKey.identifier), for warren-identity only")
            print("\(keySet.path): its public half")
        }
    }
}
