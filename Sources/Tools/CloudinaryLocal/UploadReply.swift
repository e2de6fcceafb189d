import ASCII
import Crypto
import FoundationEssentials
import ImageHeaders

/// The response to an upload. Source: Cloudinary, "Upload API reference", sample response.
struct UploadReply: Encodable, Sendable {
    let assetID: String
    let publicID: String
    let version: Int
    let versionID: String
    let signature: String
    let width: Int
    let height: Int
    let format: String
    let resourceType = "image"
    let createdAt: String
    let tags: [String] = []
    let bytes: Int
    let type = "upload"
    let etag: String
    let placeholder = false
    let url: String
    let secureURL: String
    let overwritten: Bool?
    let existing: Bool?
    let originalFilename: String
    let apiKey: String

    enum CodingKeys: String, CodingKey {
        case version, signature, width, height, format, tags, bytes, type, etag, placeholder, url, overwritten, existing
        case assetID = "asset_id"
        case publicID = "public_id"
        case versionID = "version_id"
        case resourceType = "resource_type"
        case createdAt = "created_at"
        case secureURL = "secure_url"
        case originalFilename = "original_filename"
        case apiKey = "api_key"
    }

    /// Makes the response for a stored asset.
    ///
    /// - Parameters:
    ///   - existed: whether an asset with this public id existed before the upload.
    ///   - overwrite: whether the request allows an existing asset to be replaced.
    ///   - filename: the file name that the client sent.
    init(
        _ id: PublicID, _ asset: AssetStore.Asset, _ image: ImageHeader, account: Account, origin: String,
        existed: Bool, overwrite: Bool, filename: String
    ) {
        assetID = Self.digest("\(account.cloud)/\(id.text)".utf8)
        publicID = id.text
        version = asset.version
        versionID = Self.digest("\(account.cloud)/\(id.text)/\(asset.version)".utf8)
        signature = account.sha1("public_id=\(id.text)&version=\(asset.version)")
        width = image.width
        height = image.height
        format = image.format.rawValue
        createdAt = Date(timeIntervalSince1970: TimeInterval(asset.version)).formatted(.iso8601)
        bytes = asset.bytes.count
        etag = Self.digest(asset.bytes)
        url = "\(origin)/\(account.cloud)/image/upload/v\(asset.version)/\(id.path).\(image.format.rawValue)"
        secureURL = url
        overwritten = existed && overwrite ? true : nil
        existing = existed && !overwrite ? true : nil
        let name = filename.split { $0 == "/" || $0 == "\\" }.last ?? "file"
        originalFilename = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? String(name)
        apiKey = account.key
    }

    /// Returns the MD5 digest in hexadecimal, which is the form of Cloudinary's asset ids, version ids and entity tags.
    private static func digest(_ bytes: some Sequence<UInt8>) -> String {
        Insecure.MD5.hash(data: Array(bytes)).hexadecimal
    }
}
