public import Foundation

/// A file of the repository that a test reads or runs.
public struct RepositoryFile: Sendable {
    /// The root folder of the repository.
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The absolute URL of the file.
    public let url: URL

    /// - Parameter path: the path from the root of the repository.
    public init(_ path: String) {
        url = Self.root.appending(path: path)
    }

    /// The absolute path of the file.
    public var path: String { url.path(percentEncoded: false) }

    /// The content as UTF-8.
    public var text: String {
        get throws { try String(contentsOf: url, encoding: .utf8) }
    }
}

/// Returns the path of a program that is built beside the tests.
public func builtProgram(_ name: String) throws -> String {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(filePath: tests).deletingLastPathComponent().appending(path: name).path(percentEncoded: false)
}
