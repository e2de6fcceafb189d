import Glibc
import IdentityService

/// The folder of the keys, in which one command works at a time.
struct KeyDirectory {
    /// What a command cannot do with the folder as it is; says what would help.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// The private key that signs, for warren-identity alone.
    let signingKey: WholeFile
    /// The private key that will sign, once every ingress has its public half.
    let nextSigningKey: WholeFile
    /// The public keys, for every ingress.
    let keySet: WholeFile

    private init(_ path: String) {
        signingKey = WholeFile("\(path)/signing-key.pem", mode: 0o600)
        nextSigningKey = WholeFile("\(path)/next-signing-key.pem", mode: 0o600)
        keySet = WholeFile("\(path)/jwks.json", mode: 0o644)
    }

    /// Works in a folder; a second command on it waits.
    ///
    /// - Parameter makes: whether the folder is made, for its owner alone, where it is not there.
    static func work(in path: String, makes: Bool = false, _ body: (KeyDirectory) throws -> Void) throws {
        if makes, mkdir(path, 0o700) != 0, errno != EEXIST { throw WholeFile.Failure(path: path, code: errno) }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw WholeFile.Failure(path: path, code: errno) }
        // Closing it gives the lock back (flock(2)).
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX) == 0 else { throw WholeFile.Failure(path: path, code: errno) }
        try body(KeyDirectory(path))
    }

    /// The keys that sign or will.
    func keysInUse() throws -> [VerificationKey] {
        try [signingKey, nextSigningKey].filter(\.exists).map { try publicHalf(of: $0) }
    }

    /// The public half of a private key.
    func publicHalf(of file: WholeFile) throws -> VerificationKey {
        do {
            return try SigningKey(pem: String(decoding: try file.read(), as: UTF8.self)).publicKey
        } catch let fault as SigningKey.Malformed {
            throw Refusal(description: "\(file.path) \(fault)")
        }
    }

    func readKeySet() throws -> KeySet {
        do {
            return try KeySet(jwks: try keySet.read())
        } catch let fault as KeySet.Malformed {
            throw Refusal(description: "\(keySet.path) \(fault)")
        }
    }

    func write(_ set: KeySet) throws(WholeFile.Failure) {
        try keySet.write(set.document, replacing: true)
    }
}
