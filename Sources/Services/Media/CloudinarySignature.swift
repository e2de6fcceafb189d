internal import Crypto

/// The signature of a call to Cloudinary's upload API.
///
/// Every parameter but the file, the cloud, the resource type and the key, sorted by name, as `name=value` joined by `&`
/// (with `&` in a value sent as `%26`), the secret appended, SHA-1 in hexadecimal: Cloudinary's "Generating
/// authentication signatures".
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
