import Foundation

/// A temporary folder for one test.
public final class TemporaryFolder: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "warren-\(UUID().uuidString)")

    /// Makes an empty folder in the system's folder for temporary files.
    public init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { remove() }

    /// Deletes the folder and its contents.
    public func remove() {
        try? FileManager.default.removeItem(at: folder)
    }

    /// The folder's path.
    public var path: String { folder.path(percentEncoded: false) }

    /// Returns the path of a file or folder in the folder.
    public func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }

    /// Makes a folder in the folder.
    public func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    /// Writes a file and makes the folders that contain it.
    public func write(_ text: String, to name: String) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    /// Returns the content of a file.
    public func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    /// Returns the paths of all files and folders in a folder, relative to that folder.
    public func contents(_ name: String = "") throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: name.isEmpty ? path : path(name))
    }
}
