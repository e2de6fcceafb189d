internal import Crypto

/// The private key that signs access tokens: ECDSA on the curve P-256, for ES256 (RFC 7518, section 3.4).
package struct SigningKey: Sendable {
    /// The text is not the key it should be; the description says what it should be, and nothing of the text.
    package struct Malformed: Error, CustomStringConvertible {
        package let description = "must be a private key of the curve P-256 in PEM form"
    }

    let privateKey: P256.Signing.PrivateKey

    /// Makes a new key.
    package init() {
        privateKey = P256.Signing.PrivateKey()
    }

    /// Reads a key in PKCS #8 or SEC 1 form.
    package init(pem: String) throws(Malformed) {
        do {
            privateKey = try P256.Signing.PrivateKey(pemRepresentation: pem)
        } catch {
            throw Malformed()
        }
    }

    /// The key in PKCS #8 form, with a line feed at its end.
    package var pem: String {
        privateKey.pemRepresentation + "\n"
    }

    /// The public half.
    package var publicKey: VerifyKey {
        VerifyKey(privateKey.publicKey)
    }
}
