internal import Contracts
internal import ImageHeaders
internal import Reactor

/// Decides from the bytes of an upload whether it is an acceptable image. The file name and the content type
/// that the client sent are ignored.
struct ImageValidator: Sendable {
    /// Files up to this size, in bytes, are parsed on the event loop, because a switch to another thread takes
    /// longer than parsing them.
    private static let smallFile = 64 * 1024

    /// The maximum number of pixels of an image, in all its frames together.
    let maximumPixels: Int

    /// Returns the header of an image file.
    ///
    /// - Throws: `unsupported-media-type` if the file is not a complete JPEG, PNG, GIF or WebP; `invalid` if
    ///   the image has too many pixels.
    func header(of file: [UInt8]) async throws(Problem) -> ImageHeader {
        let header =
            try file.count <= Self.smallFile ? Self.parse(file).get() : await offLoop { Self.parse(file) }.get()
        guard header.pixels <= maximumPixels else {
            throw .invalid("/file", "must not have more than \(maximumPixels) pixels in all its frames together")
        }
        return header
    }

    private static func parse(_ file: [UInt8]) -> Result<ImageHeader, Problem> {
        do throws(ImageFault) {
            return .success(try ImageHeader(file))
        } catch {
            return .failure(Problem(.unsupportedMediaType, detail: detail(of: error)))
        }
    }

    private static func detail(of fault: ImageFault) -> String {
        switch fault {
        case .unknownFormat: "The file must be a JPEG, PNG, GIF or WebP image."
        case .truncated: "The file is incomplete: it ends before the image does."
        case .malformed: "The file is damaged or is not an image."
        case .noPixels: "The image must have at least one pixel."
        }
    }
}
