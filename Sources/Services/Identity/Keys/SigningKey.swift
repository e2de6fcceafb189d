internal import Crypto
package import Reactor

/// The private key that signs access tokens: ECDSA on the curve P-256, for ES256 (RFC 7518, section 3.4).
package struct SigningKey: Sendable {
    let privateKey: P256.Signing.PrivateKey

    /// Generates a new key.
    package init() {
        privateKey = P256.Signing.PrivateKey()
    }

    /// Reads a key in PKCS #8 or SEC 1 form.
    package init(pem: String) throws(ParseError) {
        do {
            privateKey = try P256.Signing.PrivateKey(pemRepresentation: pem)
        } catch {
            throw ParseError("must be a P-256 private key in PEM form")
        }
    }

    /// The key in PKCS #8 form, with a trailing line feed.
    package var pem: String {
        privateKey.pemRepresentation + "\n"
    }

    /// The public half, which verifies the signatures of this key.
    package var publicKey: VerificationKey {
        VerificationKey(privateKey.publicKey)
    }
}
