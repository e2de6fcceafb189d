import Foundation

/// A temporary directory of one test.
public struct Scratch: Sendable {
    /// The directory's path.
    public let directory: String

    /// Makes an empty directory in the system's temporary directory.
    public init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "cloudinary-local-\(UUID().uuidString)")
            .path()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// Returns the path of a file in the directory.
    public func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Deletes the directory and its content.
    public func remove() {
        try? FileManager.default.removeItem(atPath: directory)
    }
}
