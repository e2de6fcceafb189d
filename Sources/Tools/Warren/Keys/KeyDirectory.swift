import AtomicFile
import Glibc
import IdentityService
import Reactor

/// The directory that contains the keys. It is locked while a command runs.
struct KeyDirectory {
    /// The error for a command that the state of the directory does not allow. The description states the reason and
    /// usually a remedy.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// The private key that signs, for warren-identity only.
    let signingKey: AtomicFile
    /// The private key that signs after the next rotation.
    let nextSigningKey: AtomicFile
    /// The public keys, for every ingress.
    let keySet: AtomicFile

    private init(_ path: String) {
        signingKey = AtomicFile("\(path)/signing-key.pem", mode: 0o600)
        nextSigningKey = AtomicFile("\(path)/next-signing-key.pem", mode: 0o600)
        keySet = AtomicFile("\(path)/jwks.json", mode: 0o644)
    }

    /// Runs `body` while the directory is locked. Another command waits until the lock is free.
    ///
    /// - Parameter creating: whether to create a missing directory, which only its owner can access.
    static func withLock(
        _ path: String, creating: Bool = false, _ body: (KeyDirectory) throws -> Void
    ) throws {
        if creating, mkdir(path, 0o700) != 0, errno != EEXIST { throw AtomicFile.Failure(path: path, code: errno) }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw AtomicFile.Failure(path: path, code: errno) }
        // Closing the descriptor releases the lock (flock(2)).
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX) == 0 else { throw AtomicFile.Failure(path: path, code: errno) }
        try body(KeyDirectory(path))
    }

    /// Returns the public halves of the current and the next signing key, if these keys exist.
    func keysInUse() throws -> [VerificationKey] {
        try [signingKey, nextSigningKey].filter(\.exists).map { try publicHalf(of: $0) }
    }

    /// Returns the public half of a private key.
    func publicHalf(of file: AtomicFile) throws -> VerificationKey {
        do {
            return try SigningKey(pem: String(decoding: try file.read().bytes, as: UTF8.self)).publicKey
        } catch let error as ParseError {
            throw Refusal(description: "\(file.path) \(error)")
        }
    }

    func readKeySet() throws -> KeySet {
        do {
            return try KeySet(jwks: try keySet.read().bytes)
        } catch let error as ParseError {
            throw Refusal(description: "\(keySet.path) \(error)")
        }
    }

    func write(_ set: KeySet) throws(AtomicFile.Failure) {
        try keySet.write(set.document, replacing: true)
    }
}
