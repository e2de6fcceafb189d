import Foundation

/// A directory of a test's own.
public struct Scratch: Sendable {
    /// Its path.
    public let directory: String

    /// Makes an empty one under the system's temporary directory.
    public init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "cloudinary-local-\(UUID().uuidString)")
            .path()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// Where a file in it is.
    public func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Deletes it with everything in it.
    public func remove() {
        try? FileManager.default.removeItem(atPath: directory)
    }
}
