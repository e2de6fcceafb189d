internal import Contracts
internal import Crypto
internal import FoundationEssentials

/// A refresh token as its bearer holds it: 256 random bits, in 43 characters.
///
/// The database has its hash alone. What is presented is hashed as it is and never decoded: whatever is not a token of
/// ours is simply unknown.
struct RefreshSecret: Sendable, Hashable, CustomStringConvertible {
    /// Whose eyes it is for: the bearer's.
    let text: String

    /// Nothing of the token: whatever prints one by mistake shows no secret.
    var description: String { "a refresh token" }

    /// Takes what a client presents.
    init(_ text: String) {
        self.text = text
    }

    /// Makes a new one.
    static func random() -> RefreshSecret {
        var generator = SystemRandomNumberGenerator()
        return RefreshSecret(Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
    }

    /// What the database knows it by.
    var hash: [UInt8] {
        Array(SHA256.hash(data: Array(text.utf8)))
    }

    /// Encrypts its successor so that only who presents this token again reads it.
    ///
    /// The successor is random, not derived: neither the signing key nor the database gives anyone a token, and it is the
    /// same on workers with different signing keys, as there are while keys are exchanged.
    func seal(_ successor: RefreshSecret) throws -> [UInt8] {
        let box = try AES.GCM.seal(Array(successor.text.utf8), using: successorKey)
        // The nonce has the default size, for which there always is a combined form.
        return Array(box.combined ?? Data())
    }

    /// Reads the successor again.
    ///
    /// - Throws: `CryptoKitError` where the box was sealed with another token.
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
