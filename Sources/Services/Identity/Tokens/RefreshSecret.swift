internal import Contracts
internal import Crypto
internal import FoundationEssentials

/// A refresh token as the client holds it: 256 random bits as 43 characters of base64url.
///
/// The database stores only its SHA-256. A presented token is hashed as it is and never decoded, so malformed
/// text is simply an unknown token.
struct RefreshSecret: Sendable, Hashable, CustomStringConvertible {
    /// The secret, for the reply to the client only.
    let text: String

    /// A constant text, so that logging a token by mistake does not reveal it.
    var description: String { "a refresh token" }

    /// Makes a token of the text that a client presents.
    init(_ text: String) {
        self.text = text
    }

    /// Returns a new random token.
    static func random() -> RefreshSecret {
        var generator = SystemRandomNumberGenerator()
        return RefreshSecret(Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
    }

    /// The token's SHA-256, which is its key in the database.
    var hash: [UInt8] {
        Array(SHA256.hash(data: Array(text.utf8)))
    }

    /// Encrypts the successor of this token with AES-GCM, under a key that is derived from this token.
    ///
    /// Only a client that presents this token again can read the successor. The successor is random, not
    /// derived, so neither the signing key nor the database yields a token, and workers with different
    /// signing keys (during a key rotation) return the same one.
    func seal(_ successor: RefreshSecret) throws -> [UInt8] {
        let box = try AES.GCM.seal(Array(successor.text.utf8), using: successorKey)
        // `combined` is nil only for a nonce of another size than the default.
        return Array(box.combined ?? Data())
    }

    /// Decrypts the successor of this token.
    ///
    /// - Throws: `CryptoKitError` if the box was sealed with another token.
    func open(_ sealed: [UInt8]) throws -> RefreshSecret {
        let bytes = try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: successorKey)
        return RefreshSecret(String(decoding: bytes, as: UTF8.self))
    }

    private var successorKey: SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: Array(text.utf8)), info: Array("warren refresh successor".utf8),
            outputByteCount: 32)
    }
}
