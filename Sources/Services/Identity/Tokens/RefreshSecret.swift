internal import Contracts
internal import Crypto
internal import FoundationEssentials

/// A refresh token as the client holds it: 256 random bits as 43 characters of base64url.
///
/// The database stores only its SHA-256. A token from a client is hashed without decoding, so a malformed token
/// is treated like an unknown one.
struct RefreshSecret: Sendable, Hashable, CustomStringConvertible {
    /// The token itself, which only the reply to the client may contain.
    let text: String

    /// A constant text, so that logging a token by mistake does not reveal it.
    var description: String { "a refresh token" }

    /// Makes a token from the text that a client sent.
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
    /// The successor can be decrypted only with this token, which the database does not store. The successor is
    /// random and not derived from the signing key. Therefore neither the signing key nor the database reveals a
    /// token, and workers with different signing keys (during a key rotation) return the same successor.
    ///
    /// - Returns: the encrypted successor, for ``open(_:)``.
    func seal(_ successor: RefreshSecret) throws -> [UInt8] {
        let box = try AES.GCM.seal(Array(successor.text.utf8), using: successorKey)
        // `combined` is nil only if the nonce does not have the default size.
        return Array(box.combined ?? Data())
    }

    /// Decrypts the successor of this token.
    ///
    /// - Throws: `CryptoKitError` if another token encrypted it.
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
