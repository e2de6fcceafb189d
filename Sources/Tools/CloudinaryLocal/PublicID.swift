import FoundationEssentials

/// The public id of an asset: 1 to 255 characters, with slashes between folders.
///
/// Only ``fileName`` is used in paths, because none of its characters has a meaning to the file system.
struct PublicID: Sendable, Hashable {
    let text: String

    /// Validates a public id from a client. Source: Cloudinary, "Permitted naming conventions".
    ///
    /// - Returns: nil if it is empty or too long, or has a forbidden or a control character, an empty, `.` or `..`
    ///   folder, or a folder that looks like a version.
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

    /// Returns a random public id, for an upload without one.
    static func random() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<20).map { _ in alphabet[Int.random(in: alphabet.indices)] })
    }

    /// The name of the asset's file: letters, digits, hyphens and underscores unchanged, every other byte as `%XX`.
    var fileName: String { text.percentEncoded { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") } }

    /// Returns the public id with a file name; nil if no public id has this name.
    init?(fileName: String) {
        guard let text = fileName.percentDecoded, let id = PublicID(text), id.fileName == fileName else { return nil }
        self = id
    }

    /// The public id, encoded for the path of a URL.
    var path: String { text.percentEncoded { "-_.~/".utf8.contains($0) } }

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
    /// Returns the text with every byte as `%XX`, except ASCII letters, digits and the bytes that `plain` accepts.
    func percentEncoded(except plain: (UInt8) -> Bool) -> String {
        utf8.reduce(into: "") { text, byte in
            if Unicode.Scalar(byte).properties.isAlphabetic && byte < 0x80 || (0x30...0x39).contains(byte)
                || plain(byte)
            {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + CollectionOfOne(byte).hex.uppercased()
            }
        }
    }

    /// The text with each `%XX` replaced by its byte; nil if one is malformed or the result is not UTF-8.
    var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigit, let low = rest.popFirst()?.hexDigit else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    fileprivate func trimming(_ unwanted: (Character) -> Bool) -> String {
        guard let start = firstIndex(where: { !unwanted($0) }), let end = lastIndex(where: { !unwanted($0) })
        else { return "" }
        return String(self[start...end])
    }
}

extension UInt8 {
    fileprivate var hexDigit: UInt8? {
        Character(Unicode.Scalar(self)).hexDigitValue.flatMap { UInt8(exactly: $0) }
    }
}
