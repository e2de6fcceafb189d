import HTTPTypes
import Hummingbird
import ImageHeaders

extension CloudinaryResponder {
    /// Returns the bytes of an asset: `GET` or `HEAD /CLOUD/image/upload/[vVERSION/]PUBLIC_ID[.FORMAT]`. The version is
    /// ignored.
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

    /// Finds an asset by `PUBLIC_ID` or by `PUBLIC_ID.FORMAT`, where FORMAT is the format of the stored image.
    ///
    /// This server does not convert images, so any other extension is read as part of the public id.
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
