internal import ASCII
internal import Crypto

/// The signature of a call to Cloudinary's upload API, as Cloudinary's "Generating authentication signatures"
/// defines it.
///
/// All parameters except the file, the cloud, the resource type and the API key are sorted by name, written as
/// `name=value`, and joined with `&`. An `&` in a value becomes `%26`. The signature is the SHA-1 digest of that
/// text followed by the secret, in hexadecimal.
enum CloudinarySignature {
    /// Returns the signature of a call.
    ///
    /// - Parameter parameters: only the parameters that the signature covers.
    static func sign(_ parameters: [(name: String, value: String)], secret: String) -> String {
        let text = parameters.sorted { $0.name < $1.name }
            .map { "\($0.name)=\($0.value.replacing("&", with: "%26"))" }
            .joined(separator: "&")
        return Insecure.SHA1.hash(data: Array((text + secret).utf8)).hexadecimal
    }
}
