internal import Contracts
internal import ImageHeaders
internal import Reactor

/// Decides by an upload's bytes, never by its name or what its sender says of it, whether it is a picture that is taken.
struct PictureCheck: Sendable {
    /// Files up to this size are looked at on the loop: leaving it would take longer.
    private static let small = 64 * 1024

    /// The most pixels that a picture may have, those of all its frames together.
    let maximumPixels: Int

    /// Reads the header of a file.
    ///
    /// - Throws: `unsupported-media-type` where it is no whole JPEG, PNG, GIF or WebP; `invalid` where it is one that is
    ///   larger than allowed.
    func header(of file: [UInt8]) async throws(Problem) -> ImageHeader {
        let header = try file.count <= Self.small ? Self.read(file).get() : await Self.readElsewhere(file).get()
        guard header.pixels <= maximumPixels else {
            throw .invalid("/file", "must not have more than \(maximumPixels) pixels, those of all frames together")
        }
        return header
    }

    /// Off the loop, on the global pool even where the task prefers the loop.
    @concurrent private static func readElsewhere(_ file: [UInt8]) async -> Result<ImageHeader, Problem> {
        await withTaskExecutorPreference(globalConcurrentExecutor) { read(file) }
    }

    private static func read(_ file: [UInt8]) -> Result<ImageHeader, Problem> {
        do throws(ImageFault) {
            return .success(try ImageHeader(file))
        } catch {
            return .failure(Problem(.unsupportedMediaType, detail: describe(error)))
        }
    }

    private static func describe(_ fault: ImageFault) -> String {
        switch fault {
        case .unknownFormat: "The file is no JPEG, PNG, GIF or WebP."
        case .truncated: "The file ends before its picture does."
        case .malformed: "The file is damaged, or no picture though it begins like one."
        case .noPixels: "The picture has no pixels."
        }
    }
}
