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

    private struct AlreadyThere: Error, CustomStringConvertible {
        let path: String

        var description: String { "\(path) is there already; --force replaces it" }
    }

    func run() throws {
        let key = SigningKey()
        let keySet = NewFile("\(directory)/jwks.json", mode: 0o644)
        let signingKey = NewFile("\(directory)/signing-key.pem", mode: 0o600)
        try NewFile.makeDirectory(directory)
        if !force {
            for file in [signingKey, keySet] where file.exists {
                throw AlreadyThere(path: file.path)
            }
        }
        // The secret last: where it is, the other is too.
        try keySet.write(VerifyKey.keySet([key.publicKey]) + [UInt8(ascii: "\n")], replacing: force)
        try signingKey.write(Array(key.pem.utf8), replacing: force)
        print("\(signingKey.path): the signing key \(key.publicKey.identifier), for warren-identity alone")
        print("\(keySet.path): its public half")
    }
}
