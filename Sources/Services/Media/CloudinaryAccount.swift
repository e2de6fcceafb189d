internal import FoundationEssentials
internal import Reactor

/// An account at Cloudinary, from a URL `cloudinary://KEY:SECRET@CLOUD?upload_prefix=URL`.
struct CloudinaryAccount: Sendable {
    let cloud: String
    let key: String
    let secret: String
    /// The base URL of the API, without a trailing slash.
    let uploadPrefix: String

    /// Parses a URL in the form that Cloudinary's SDKs accept.
    init(url text: String) throws(ParseError) {
        guard let parts = URLComponents(string: text), parts.scheme == "cloudinary" else {
            throw ParseError("must be cloudinary://KEY:SECRET@CLOUD")
        }
        guard let cloud = parts.host, !cloud.isEmpty, let key = parts.user, !key.isEmpty,
            let secret = parts.password, !secret.isEmpty
        else { throw ParseError("must have a key, a secret and a cloud name") }
        let prefix = parts.queryItems?.first { $0.name == "upload_prefix" }?.value ?? "https://api.cloudinary.com"
        guard prefix.hasPrefix("https://") || prefix.hasPrefix("http://") else {
            throw ParseError("must have an http or https URL as its upload_prefix")
        }
        self.cloud = cloud
        self.key = key
        self.secret = secret
        uploadPrefix = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
    }
}
