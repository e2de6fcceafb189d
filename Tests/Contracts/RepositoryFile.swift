import Foundation

/// A file of the repository that a test reads.
struct RepositoryFile {
    /// The absolute location.
    let url: URL

    /// - Parameter path: the path from the root of the repository.
    init(_ path: String) {
        url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: path)
    }

    /// The content as UTF-8.
    var text: String {
        get throws { try String(contentsOf: url, encoding: .utf8) }
    }
}
