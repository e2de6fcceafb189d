internal import Contracts
internal import ImageHeaders
internal import Reactor

/// Decides from the bytes of an upload whether it is an acceptable image, and makes the file to publish. The file name
/// and the content type that the client sent are ignored.
struct ImageValidator: Sendable {
    /// An accepted image.
    struct Image: Sendable {
        let header: ImageHeader
        /// The file to publish. A redelivery of the upload gets the same bytes.
        let file: [UInt8]
    }

    /// Files up to this size, in bytes, are parsed on the event loop, because a switch to another thread takes
    /// longer than parsing them.
    private static let smallFile = 64 * 1024

    /// The maximum number of pixels of an image, in all its frames together.
    let maximumPixels: Int
    /// Whether published files keep the metadata of the upload, for example the place where a photo was taken.
    var keepsMetadata = false

    /// Returns the image in an upload.
    ///
    /// - Throws: `unsupported-media-type` if the file is not a complete JPEG, PNG, GIF, WebP or AVIF; `invalid` if
    ///   the image has too many pixels.
    func image(in upload: [UInt8]) async throws(Problem) -> Image {
        try upload.count <= Self.smallFile ? read(upload).get() : await offLoop { read(upload) }.get()
    }

    private func read(_ upload: [UInt8]) -> Result<Image, Problem> {
        do throws(ImageFault) {
            let file = try ImageFile(upload)
            guard file.header.pixels <= maximumPixels else {
                return .failure(
                    .invalid("/file", "must not have more than \(maximumPixels) pixels in all its frames together"))
            }
            return .success(Image(header: file.header, file: file.stored(keepingMetadata: keepsMetadata)))
        } catch {
            return .failure(Problem(.unsupportedMediaType, detail: Self.detail(of: error)))
        }
    }

    private static func detail(of fault: ImageFault) -> String {
        switch fault {
        case .unknownFormat: "The file must be a JPEG, PNG, GIF, WebP or AVIF image."
        case .heic: "Most browsers cannot show HEIC images. Convert the image to JPEG or AVIF, and upload it again."
        case .truncated: "The file is incomplete: it ends before the image does."
        case .malformed: "The file is damaged or is not an image."
        case .noPixels: "The image must have at least one pixel."
        }
    }
}
