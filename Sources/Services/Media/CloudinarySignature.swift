internal import Crypto

/// The signature of a call to Cloudinary's upload API, as Cloudinary's "Generating authentication signatures"
/// defines it.
///
/// The parameters except the file, the cloud, the resource type and the API key are sorted by name and joined
/// as `name=value` with `&` (an `&` in a value becomes `%26`). The signature is the SHA-1 of that text and
/// the secret, in hexadecimal.
enum CloudinarySignature {
    static func sign(_ parameters: [(name: String, value: String)], secret: String) -> String {
        let text = parameters.sorted { $0.name < $1.name }
            .map { "\($0.name)=\($0.value.replacing("&", with: "%26"))" }
            .joined(separator: "&")
        return Insecure.SHA1.hash(data: Array((text + secret).utf8)).map(hexadecimal).joined()
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
    }
}
