import HTTPTypes
import Hummingbird
import ImageHeaders

extension CloudinaryResponder {
    /// `GET /CLOUD/image/upload/[vVERSION/]PUBLIC_ID[.FORMAT]`.
    func deliver(_ segments: [String], _ request: Request) async throws -> APIReply {
        try require(request, .get, .head)
        guard segments[0] == account.cloud else { throw APIError.notFound }
        var rest = segments[3...]
        if rest.count > 1, rest.first?.isVersion == true { rest.removeFirst() }
        let name = rest.joined(separator: "/")
        guard let (asset, image) = try await find(name) else { throw APIError.notFound }
        return APIReply(
            status: 200, contentType: image.format.contentType, bytes: asset.bytes,
            headers: [
                HTTPField(name: .cacheControl, value: "public, no-transform, max-age=2592000"),
                HTTPField(name: .xContentTypeOptions, value: "nosniff"),
            ])
    }

    /// `GET /assets`: the stored public ids, for tests.
    func listAssets(_ request: Request) async throws -> APIReply {
        try require(request, .get)
        return try .json(["public_ids": try await store.list()])
    }

    /// Returns the asset that a URL names, with the extension of its own format or without one.
    ///
    /// The extension of another format matches no asset, because this server converts nothing.
    private func find(_ name: String) async throws -> (AssetStore.Asset, ImageHeader)? {
        if let dot = name.lastIndex(of: "."), let id = PublicID(String(name[..<dot])),
            let asset = try await store.get(id),
            let image = try? ImageHeader(asset.bytes)
        {
            let wanted = name[name.index(after: dot)...].lowercased()
            if wanted == image.format.rawValue || wanted == "jpeg" && image.format == .jpg { return (asset, image) }
        }
        guard let id = PublicID(name), let asset = try await store.get(id), let image = try? ImageHeader(asset.bytes)
        else { return nil }
        return (asset, image)
    }
}
