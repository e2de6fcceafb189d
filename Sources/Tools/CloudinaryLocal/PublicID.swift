import ASCII
import FoundationEssentials

/// The public id of an asset: 1 to 255 characters, in which slashes separate folders.
///
/// Paths on disk contain only ``fileName``, because none of its characters has a meaning in a path.
struct PublicID: Sendable, Hashable {
    let text: String

    /// Validates a public id from a client. Source: Cloudinary, "Permitted naming conventions".
    ///
    /// - Returns: `nil` if the id is empty or too long, has a forbidden character or a control character, has a part
    ///   between slashes that is empty, `.` or `..`, or has a folder that looks like a version.
    init?(_ given: String) {
        let text = given.trimming { $0.isWhitespace || $0 == "/" }
        guard (1...255).contains(text.count),
            text.unicodeScalars.allSatisfy({ !"?&#\\%<>+".unicodeScalars.contains($0) && !Self.isControl($0) })
        else { return nil }
        let segments = text.split(separator: "/", omittingEmptySubsequences: false)
        guard segments.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
            !segments.dropLast().contains(where: { $0.isVersion })
        else { return nil }
        self.text = text
        guard fileName.utf8.count <= 255 else { return nil }
    }

    /// Returns a random public id, for an upload without a public id.
    static func random() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<20).map { _ in alphabet[Int.random(in: alphabet.indices)] })
    }

    /// The name of the asset's file: ASCII letters, digits, hyphens and underscores, and every other byte as `%XX`.
    var fileName: String { PercentEncoding.encode(text) { "-_".utf8.contains($0) } }

    /// Makes the public id that has a file name; `nil` if no public id has this file name.
    init?(fileName: String) {
        guard let text = PercentEncoding.decode(fileName.utf8), let id = PublicID(text), id.fileName == fileName
        else { return nil }
        self = id
    }

    /// The public id, encoded for the path of a URL.
    var path: String { PercentEncoding.encode(text) { "-_.~/".utf8.contains($0) } }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
}

extension StringProtocol {
    /// Whether the text is a version component of a URL, such as `v1312461204`.
    var isVersion: Bool {
        first == "v" && count > 1 && dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
    }
}

extension String {
    fileprivate func trimming(_ unwanted: (Character) -> Bool) -> String {
        guard let start = firstIndex(where: { !unwanted($0) }), let end = lastIndex(where: { !unwanted($0) })
        else { return "" }
        return String(self[start...end])
    }
}
