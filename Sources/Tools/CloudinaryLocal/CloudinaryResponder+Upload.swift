import HTTPTypes
import Hummingbird
import ImageHeaders
import Logging

extension CloudinaryResponder {
    /// Stores an image: `POST /v1_1/CLOUD/image/upload`.
    func upload(cloud: String, _ request: Request) async throws -> APIReply {
        try require(request, .post)
        let form = try await RequestForm(request)
        guard form.parameters["signature"]?.isEmpty == false else {
            throw APIError(400, "Upload preset must be specified when using unsigned upload")
        }
        try authenticate(cloud, form)
        guard form.parameters["file"] == nil else {
            throw APIError(
                400, "Unsupported source: this server does not fetch URLs; send the file's bytes with a filename")
        }
        guard let file = form.file else { throw APIError.missing("file") }
        guard file.size <= RequestForm.maximumFileSize else {
            throw APIError(400, "File size too large. Got \(file.size). Maximum is \(RequestForm.maximumFileSize).")
        }
        guard let image = try? ImageHeader(file.bytes) else { throw APIError.invalidImage }
        let name = form.parameters["public_id"] ?? ""
        let id = try publicID(name.isEmpty ? PublicID.random() : name)
        let overwrite = !["false", "0"].contains(form.parameters["overwrite"])
        let (asset, existed) = try await store.put(file.bytes, as: id, overwrite: overwrite)
        logger.info(
            existed && !overwrite ? "kept the existing asset" : "stored the asset",
            metadata: ["public_id": "\(id.text)", "bytes": "\(asset.bytes.count)"])
        // If the existing asset is kept, the response describes that asset.
        guard let image = existed && !overwrite ? (try? ImageHeader(asset.bytes)) : image else {
            throw APIError.invalidImage
        }
        return try .json(
            UploadReply(
                id, asset, image, account: account, origin: origin, existed: existed, overwrite: overwrite,
                filename: file.name))
    }

    /// Deletes an image: `POST /v1_1/CLOUD/image/destroy`.
    func destroy(cloud: String, _ request: Request) async throws -> APIReply {
        try require(request, .post)
        let form = try await RequestForm(request)
        try authenticate(cloud, form)
        guard let name = form.parameters["public_id"], !name.isEmpty else { throw APIError.missing("public_id") }
        let id = try publicID(name)
        let removed = try await store.remove(id)
        logger.info("destroy was requested", metadata: ["public_id": "\(id.text)", "found": "\(removed)"])
        return try .json(["result": removed ? "ok" : "not found"])
    }

    private func authenticate(_ cloud: String, _ form: RequestForm) throws(APIError) {
        guard cloud == account.cloud else { throw APIError(401, "Invalid cloud_name \(cloud)") }
        try account.authenticate(form.parameters)
    }

    private func publicID(_ text: String) throws(APIError) -> PublicID {
        guard let id = PublicID(text) else { throw APIError(400, "public_id (\(text)) is invalid") }
        return id
    }
}
